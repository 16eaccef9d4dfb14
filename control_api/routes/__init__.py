"""What each operation does, once its request is admitted (`control_api.admission`)."""
