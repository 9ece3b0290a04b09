/** Whether images are attested: `auto` does it where the job may and tells where it may not. */
export const ATTEST = ['auto', 'true', 'false'] as const;
export type Attest = (typeof ATTEST)[number];
