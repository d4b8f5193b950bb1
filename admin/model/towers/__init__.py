"""Import a pretrained tower: from a folder of a model hub to a folder that ``local:`` encoders load."""
