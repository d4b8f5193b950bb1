"""The digital twin: a small consortium of hospitals as DICOM files, reports and manifests, all drawn, none real."""
