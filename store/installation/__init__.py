"""The installation as a whole: which object storage is its own, what that can do, and an overview in numbers."""
