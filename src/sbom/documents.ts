export { cycloneDx } from './cyclonedx.ts';
export { spdx } from './spdx.ts';
