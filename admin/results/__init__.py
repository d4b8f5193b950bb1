"""What a finished run left: results, table, curves, report card."""
