import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';

/** What a server and its clients need to speak TLS, in PEM. */
export interface Certificates {
  /** The authority, which clients trust. */
  readonly ca: string;
  /** The server's own, for 127.0.0.1 and localhost, signed by the authority. */
  readonly cert: string;
  readonly key: string;
}

/**
 * Makes an authority and a server certificate that it has signed, valid until the end of 2049. Node can make keys and
 * sign but not write certificates, so this writes the few bytes of X.509 itself: no openssl to install, no private key
 * in the repository, and nothing that expires one day. An authority made by another call is one that clients refuse.
 */
export function makeCertificates(): Certificates {
  const authority = makeKeys();
  const server = makeKeys();
  const issuer = 'acache test authority';
  return {
    ca: certificate({
      subject: issuer,
      of: authority,
      issuer,
      by: authority,
      extension: isAuthority,
    }),
    cert: certificate({
      subject: 'localhost',
      of: server,
      issuer,
      by: authority,
      extension: hasNames,
    }),
    key: server.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

type Keys = { publicKey: KeyObject; privateKey: KeyObject };

const makeKeys = (): Keys => generateKeyPairSync('ec', { namedCurve: 'P-256' });

// DER: a tag, a length, the content.
function der(tag: number, ...contents: readonly (Buffer | string)[]): Buffer {
  const content = Buffer.concat(
    contents.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)),
  );
  const { length } = content;
  const size =
    length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}
const sequence = (...contents: readonly Buffer[]): Buffer => der(0x30, ...contents);
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const bits = (content: Buffer): Buffer => der(0x03, Buffer.from([0]), content);
const yes = der(0x01, Buffer.from([0xff]));
const version3 = der(0xa0, der(0x02, Buffer.from([2])));
const validity = sequence(der(0x17, '200101000000Z'), der(0x17, '491231235959Z'));
const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'));
const commonName = (name: string): Buffer =>
  sequence(der(0x31, sequence(oid('550403'), der(0x0c, name))));

const isAuthority = sequence(oid('551d13'), yes, der(0x04, sequence(yes)));
const hasNames = sequence(
  oid('551d11'),
  der(0x04, sequence(der(0x82, 'localhost'), der(0x87, Buffer.from([127, 0, 0, 1])))),
);

let serial = 0;

function certificate({
  subject,
  of,
  issuer,
  by,
  extension,
}: {
  subject: string;
  of: Keys;
  issuer: string;
  by: Keys;
  extension: Buffer;
}): string {
  const content = sequence(
    version3,
    der(0x02, Buffer.from([++serial])),
    ecdsaWithSha256,
    commonName(issuer),
    validity,
    commonName(subject),
    of.publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(extension)),
  );
  const signature = sign('sha256', content, by.privateKey);
  const bytes = sequence(content, ecdsaWithSha256, bits(signature));
  const lines = bytes.toString('base64').replace(/.{64}(?=.)/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}
