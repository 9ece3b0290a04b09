import { flag, list, pairs, secret, secretPairs, text } from '../action/fields.ts';
import type { Inputs } from '../action/inputs.ts';

/** A repository's path by the OCI distribution specification. */
const NAME = /[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*/;

/** What every action takes that delivers an image. */
export const imageInputs = {
  image: text({ pattern: NAME, max: 255, allowed: 'the name of an image repository, such as shop/tracking-api' }),
  dockerfile: text({ allowed: 'the path of a Dockerfile, relative to the directory' }),
  'base-image': text({ pattern: /[\w./:@-]+/, allowed: 'an image such as node:24-slim' }),
  'build-args': pairs({ name: /[A-Za-z_]\w*/, allowed: 'lines of NAME=value' }),
  'build-secrets': secretPairs({ name: /[\w.-]+/, allowed: 'lines of id=value' }),
  ssh: list({ pattern: /[\w.-]+(=[^,\s]+)?/, allowed: 'default, or ids with the path of a key or socket' }),
  platforms: list({ pattern: /[a-z0-9]+\/[a-z0-9]+(\/v\d)?/, allowed: 'platforms such as linux/amd64, linux/arm64' }),
  push: flag({ default: 'true' }),
  registry: text({ pattern: /[a-zA-Z0-9.-]+(:\d{1,5})?/, allowed: 'the host of a registry, such as ghcr.io' }),
  'registry-username': text({ allowed: 'a user name of the registry' }),
  'registry-password': secret(),
  region: text({ pattern: /[a-z]{2,4}(-[a-z]+)+-\d/, allowed: 'an AWS region such as eu-central-1' }),
  'role-to-assume': text({
    pattern: /arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+/,
    allowed: 'a role ARN such as arn:aws:iam::123456789012:role/build',
  }),
  'create-repository': flag({ default: 'true' }),
  cache: flag({ default: 'true' }),
} as const;

/** The parsed inputs on an image. */
export type ImageInputs = Inputs<typeof imageInputs>;
