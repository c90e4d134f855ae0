"""Everything about the package is said in setup.cfg."""

from setuptools import setup

setup()
