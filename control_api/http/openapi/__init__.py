"""What an operation is (a row of the table), and the OpenAPI document that is made from the table.

The rows themselves are in the rooms of what is served; `control_api.operations` collects them.
"""
