"""What turns pixels into probabilities: LiteRT on the CPU, Keras on the GPU."""
