"""Recognising machines by the OPC UA companion specifications that they follow."""
