/** The region's own STS, by the partition that the region lies in: China and the European Sovereign Cloud stand apart. */
export function stsHost(region: string): string {
  const suffix = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  return `sts.${region}.${region.startsWith('eusc-') ? 'amazonaws.eu' : suffix}`;
}

/** The one endpoint of CloudFront in the partition, and the region that its requests are signed for. */
export function cloudFrontHost(region: string): { readonly host: string; readonly region: string } {
  if (region.startsWith('cn-')) return { host: 'cloudfront.cn-northwest-1.amazonaws.com.cn', region: 'cn-northwest-1' };
  return { host: 'cloudfront.amazonaws.com', region: 'us-east-1' };
}

/** A service's endpoint in the region, such as `rds.eu-central-1.amazonaws.com`. */
export function serviceHost(service: 's3' | 'rds' | 'secretsmanager' | 'elasticloadbalancing', region: string): string {
  return stsHost(region).replace(/^sts\./, `${service}.`);
}
