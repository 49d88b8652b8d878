"""What pyspnego's SPNEGO can be made to do besides, by name.

`nomic`: NTLM without a MIC, and so without a signed list, as clients do whose server sends no timestamp.
"""


def apply(ways):
    if "nomic" in ways:
        from spnego._ntlm import NTLMProxy
        from spnego._ntlm_raw.messages import AvId, TargetInfo

        # Asking the property is what makes pyspnego's NTLM add a MIC, and so is the server's timestamp.
        NTLMProxy._requires_mech_list_mic = property(lambda self: False)

        def copy(pairs):
            pairs = TargetInfo(pairs)
            pairs.pop(AvId.timestamp, None)
            return pairs

        TargetInfo.copy = copy
