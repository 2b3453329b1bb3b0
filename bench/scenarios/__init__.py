"""scenarios: one file per question. Each has QUESTION, a sentence, and run(context)."""
