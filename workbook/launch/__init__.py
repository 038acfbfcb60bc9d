"""What `python3 -m workbook` does once the environment stands."""
