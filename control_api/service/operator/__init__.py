"""What whoever runs the installation sees of it: numbers, with a key of their own. Nothing of a customer's."""
