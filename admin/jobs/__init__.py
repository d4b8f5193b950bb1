"""What a job folder is: its files, settings, components, methods, plan and package."""
