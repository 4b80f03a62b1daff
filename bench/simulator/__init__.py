"""Simulated people: citizens, cashiers, clerks and the card platform. They know only the HTTP contract."""
