"""The gateway's doctor for recordings and brokers, without a gateway: the parts of check_conformance.py.

    recordings ─┐
                ├─> examination ─> text_report, junit, sarif
    listening ──┘

Unlike the simulators, this tool imports vda5050: what it says of a robot is what the gateway would say.
"""
