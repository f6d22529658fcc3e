"""Makes files as each generator writes them, and signs content credentials."""

import datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from PIL import Image
from PIL.PngImagePlugin import PngInfo

VECTORS = Path(__file__).parents[4] / "shared" / "vectors"


@pytest.fixture
def vectors():
    """A folder of conformance data; skips where it is absent."""

    def folder(name):
        if not (VECTORS / name).is_dir():
            pytest.skip("../shared/vectors is not here")
        return VECTORS / name

    return folder


@pytest.fixture
def pixels():
    """A picture of 48 by 32 pixels in memory, over 1,024 bytes as a file."""
    return Image.effect_noise((48, 32), 90).convert("RGB")


@pytest.fixture
def png(tmp_path, pixels):
    """Writes a PNG with text fields: ``png("a.png", parameters=…)``."""

    def write(name="a.png", fields=None, **more):
        info = PngInfo()
        for key, value in {**(fields or {}), **more}.items():
            info.add_text(key, value)
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels.save(path, pnginfo=info)
        return path

    return write


@pytest.fixture
def jpeg(tmp_path, pixels):
    """Writes a JPEG or WebP with a user comment as bytes, or with XMP."""

    def write(name="a.jpg", comment=None, tags=None, **more):
        exif = Image.Exif()
        if comment is not None:
            exif.get_ifd(0x8769)[0x9286] = comment
        for tag, value in (tags or {}).items():
            exif[tag] = value
        path = tmp_path / name
        pixels.save(path, exif=exif, **more)
        return path

    return write


@pytest.fixture(scope="session")
def signing():
    """A C2PA signer of a certificate that nobody trusts."""
    c2pa = pytest.importorskip("c2pa", reason="the extra c2pa is not installed")

    def certificate(name, key, issuer, issuer_key, *, authority):
        start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
        usage = dict.fromkeys(
            (
                "content_commitment",
                "key_encipherment",
                "data_encipherment",
                "key_agreement",
                "encipher_only",
                "decipher_only",
            ),
            False,
        )
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + datetime.timedelta(days=3650))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(
                x509.KeyUsage(digital_signature=not authority, key_cert_sign=authority, crl_sign=authority, **usage),
                critical=True,
            )
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        )
        if not authority:
            builder = builder.add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False
            )
        return builder.sign(issuer_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test"), x509.NameAttribute(NameOID.COMMON_NAME, "root")]
    )
    leaf = x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test"), x509.NameAttribute(NameOID.COMMON_NAME, "leaf")]
    )
    chain = certificate(leaf, key, root, root_key, authority=False) + certificate(
        root, root_key, root, root_key, authority=True
    )
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, *form)
    return c2pa.Signer.from_info(c2pa.C2paSignerInfo(b"es256", chain, private, None))


@pytest.fixture
def credentialed(signing):
    """Signs a picture: ``credentialed(source, target, agent={…})`` claims that a model made it."""
    c2pa = pytest.importorskip("c2pa", reason="the extra c2pa is not installed")

    def sign(source, target, agent, generator="Picture Maker"):
        action = {
            "action": "c2pa.created",
            "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
            "softwareAgent": agent,
        }
        claim = {
            "claim_generator_info": [{"name": generator, "version": "1"}],
            "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [action]}}],
        }
        with c2pa.Builder(claim) as builder:
            builder.sign_file(str(source), str(target), signing)
        return target

    return sign
