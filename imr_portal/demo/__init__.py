"""The demonstration: people, a panel and cases in every state, made by the office's services."""
