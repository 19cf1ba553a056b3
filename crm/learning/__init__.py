"""What plugins that learn classes share: trees of classes, and files of models that run no code when they are read."""
