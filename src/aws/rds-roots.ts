import { X509Certificate } from 'node:crypto';
import { UserError } from '../action/errors.ts';
import type { Host } from '../action/host.ts';
import { ask, serviceUrl } from '../http/ask.ts';

/** A bundle of all regions has 165 kB. */
const MAX_BYTES = 1024 * 1024;
const HOST = /\.(?:([a-z]{2}(?:-[a-z]+)+-\d)\.rds\.amazonaws\.com|rds\.(cn-[a-z]+-\d)\.amazonaws\.com\.cn)$/;
// Node writes a comma within a name as `\,`.
const OWNER = /^O=Amazon Web Services\\?, Inc\.$/m;
const NAME = /^CN=Amazon RDS /m;

/** The region that an endpoint of RDS or Aurora lies in; undefined for every other host. */
export function rdsRegion(host: string): string | undefined {
  const [, region, chinese] = HOST.exec(host) ?? [];
  return region ?? chinese;
}

/**
 * The certificates that sign those of RDS in a region, as PEM. They are in no system's store. AWS publishes them for
 * each region (Amazon RDS User Guide, "Using SSL/TLS to encrypt a connection") and adds to them, so a copy in this
 * product, or a checksum of one, would go stale and lock users out at the worst time: they are fetched anew over TLS, which proves that
 * they come from AWS as well as following its guide by hand does, and taken only where each of them is a CA of RDS.
 * @throws UserError when they can't be had, or are something else; the input `ca-file` does without them
 */
export async function rdsRoots(region: string, host: Pick<Host, 'env' | 'clock' | 'signal'>): Promise<string> {
  const base = serviceUrl(host.env, 'RDS_TRUSTSTORE_URL', `https://${storeOf(region)}`);
  const url = `${base}/${region}/${region}-bundle.pem`;
  const remedy = `Put the file ${url} into the repository and name it in the input ca-file.`;
  const what = 'The store of the certificates of RDS';
  const { status, body } = await ask({ url }, { what, remedy, max: MAX_BYTES }, host);
  if (status !== 200) throw new UserError(`${what} answered ${status} for ${url}`, { remedy });
  const pem = body.toString('latin1').match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (pem.length === 0 || !pem.every(isRootOfRds)) {
    throw new UserError(`${url} holds other things than certificates of RDS, so it is not trusted`, { remedy });
  }
  return pem.join('\n');
}

function storeOf(region: string): string {
  if (region.startsWith('us-gov-')) return 'truststore.pki.us-gov-west-1.rds.amazonaws.com';
  if (region.startsWith('cn-')) return 'rds-truststore.s3.cn-north-1.amazonaws.com.cn';
  return 'truststore.pki.rds.amazonaws.com';
}

function isRootOfRds(pem: string): boolean {
  try {
    const { ca, subject } = new X509Certificate(pem);
    return ca && OWNER.test(subject) && NAME.test(subject);
  } catch {
    return false;
  }
}
