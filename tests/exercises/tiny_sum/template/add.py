"""Add up the numbers. Start here."""
