"""The words of a site's reports: phrases that may be identifiers, the list of what a person confirms, and headings."""
