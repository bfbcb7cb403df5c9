"""The small detector that comparisons train. Everything here needs PyTorch; nothing here knows a loss by name."""
