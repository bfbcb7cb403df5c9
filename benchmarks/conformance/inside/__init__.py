"""What runs inside a peer's environment. It imports nothing of boxloss or of this folder's parent, and is started as a script."""
