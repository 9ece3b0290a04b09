/** The region's own STS, by the partition that the region lies in: China and the European Sovereign Cloud stand apart. */
export function stsHost(region: string): string {
  const suffix = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  return `sts.${region}.${region.startsWith('eusc-') ? 'amazonaws.eu' : suffix}`;
}
