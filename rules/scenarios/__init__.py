"""Tests of rule files, written in YAML files of their own."""
