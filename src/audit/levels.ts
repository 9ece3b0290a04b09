/** What is done about known vulnerabilities: `none` looks and tells, `off` does not look; any other stops the build. */
export const LEVELS = ['off', 'none', 'low', 'moderate', 'high', 'critical'] as const;
export type Level = (typeof LEVELS)[number];
