"""What Redis 6.2 left: events `e0` to `e2` in its snapshot, and `e3` to `e5` written after it."""

import base64
import zlib

_COMPRESSED = (
    "c-qa8&uY{_9LImN>#l9sr0zvQFKy^ySxlYD-%U=1nnR&du+<hkNV1ti=w`bnX|XN~7N4LmAW{#WeS>8M&pv>MeFp"
    "Iq#dVS`{^`bm^q?7%nGD~V-{&)P-@d!Pg)ugh`H*^kBpuPPs;|f^L`}HqjO)kIa5bs4V?Usy7rV9nWbQDco)pkv^"
    "n7OllA3d{C-p+=1a5~8(Kq-~MYS7l=scq?rB<IF(QX_KESB(&-!)rTS^yv|mg`l3vSE?R_;h48&JX~%D1bb!2%wB"
    "XKrj)m&+g*VP6yTNYzu+CWq?m5)+P%#XQLgbOD$FaT?0U84Rdq~=g;cqCi~U^AwVUB&`DfM2f*5!zL>3l?0cdmQX"
    "<|K+Xq3<=^l$#U(6=kL>vqnpLgb7Ed@>$<|}A|PJWgsKv6D(g7Z*thVtlYKFZhn+g^6EaO($CNS_?iD2^D8Y2HzE"
    "jECg{Wcf14avrjrA;15_=}kWDy?nT2zW&&hd2U(fxh;FcUfX74!gHACnyg#ac<$bVjqP>zo2FEr^SkYkjbwx83QS"
    "qvnC724o|oqJU-C1zl@?{Ch+%4`L1e5N3X$*>CB;xop8H)`$rDzX@N`j}cKU@KiP}2XVqEsFz4jkSk|IepPf{(GR"
    "EhZyCFQ@rNi9!OE0)v<z9{(}v4UH4"
)

EVENTS = {f"e{number}" for number in range(6)}
APPEND_ONLY_FILE = zlib.decompress(base64.b85decode(_COMPRESSED))
