"""What a job starts from: a finished model, or pretrained towers."""
