"""Plant faults in a healthy hospital of the twin."""
