"""The closed list of DICOM header facts that may be kept."""
