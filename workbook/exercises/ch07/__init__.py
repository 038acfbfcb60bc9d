"""The exercises of chapter 7, on tables that hold rows."""
