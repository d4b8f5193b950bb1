"""Messages of a hospital's interface engine: HL7 version 2 results, and which version of a report is the last."""
