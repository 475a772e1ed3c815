// Client-Cert (RFC 9440) for nginx: base64 of the DER is what stands between a PEM's lines.
//
// `optional_no_ca` lets any certificate through the handshake. What has no verified chain is passed
// on only if it signed itself (both wordings are OpenSSL's, of 3.x and of 1.1): whole words, since
// "…in certificate chain" is another matter.
const TOLD = ['SUCCESS', 'FAILED:self-signed certificate', 'FAILED:self signed certificate'];

function clientCert(r) {
    const pem = r.variables.ssl_client_raw_cert;
    if (!pem || TOLD.indexOf(r.variables.ssl_client_verify) < 0) {
        return '';
    }
    return ':' + pem.replace(/-----[A-Z ]+-----/g, '').replace(/\s/g, '') + ':';
}

export default { clientCert };
