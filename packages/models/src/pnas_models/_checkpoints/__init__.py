"""Readers of checkpoints that other frameworks wrote."""
