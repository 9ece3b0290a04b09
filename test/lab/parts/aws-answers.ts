import type { AwsCall } from './aws-call.ts';
import { type Answer, json } from './stand-in.ts';

/** Why AWS turns a call away; the codes of EKS and ECR end in `Exception` where those of STS do not. */
export type Refusal = 'denied' | 'expired' | 'unknown-key' | 'throttled' | 'failed' | 'unsupported';

const refusals: Readonly<Record<Refusal, { sts: string; other: string; status: number; message: string }>> = {
  denied: { sts: 'AccessDenied', other: 'AccessDeniedException', status: 403, message: 'Access denied' },
  expired: {
    sts: 'ExpiredToken',
    other: 'ExpiredTokenException',
    status: 403,
    message: 'The security token included in the request is expired',
  },
  'unknown-key': {
    sts: 'InvalidClientTokenId',
    other: 'UnrecognizedClientException',
    status: 403,
    message: 'The security token included in the request is invalid.',
  },
  throttled: { sts: 'Throttling', other: 'ThrottlingException', status: 429, message: 'Rate exceeded' },
  failed: { sts: 'InternalFailure', other: 'ServerException', status: 500, message: 'Internal failure' },
  unsupported: {
    sts: 'InvalidAction',
    other: 'InvalidRequestException',
    status: 400,
    message: 'The lab has no answer',
  },
};

/** A refusal in the protocol of the call's service. ECR answers 400 where others answer 403 or 429. */
export function refuse(service: AwsCall['service'] | undefined, why: Refusal, told?: string): Answer {
  const { sts, other, status, message: usual } = refusals[why];
  const message = told ?? usual;
  if (service === 'ecr') return json(status < 500 ? 400 : status, { __type: other, message });
  if (service === 'eks') return json(status, { message }, { 'x-amzn-errortype': other });
  if (service === 's3') return s3Error(why, message);
  return stsError(status === 429 ? 400 : status, sts, message);
}

/** S3's own form and words (API reference, "Error responses"). */
function s3Error(why: Refusal, message: string): Answer {
  const [status, code] = (
    {
      denied: [403, 'AccessDenied'],
      expired: [400, 'ExpiredToken'],
      'unknown-key': [403, 'InvalidAccessKeyId'],
      throttled: [503, 'SlowDown'],
      failed: [500, 'InternalError'],
      unsupported: [501, 'NotImplemented'],
    } as const
  )[why];
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${escape(message)}</Message></Error>`;
  return { status, headers: { 'content-type': 'application/xml' }, body };
}

/** An error in the form of AWS's query protocol, as CloudFront gives it too. */
export function stsError(status: number, code: string, message: string): Answer {
  const error = `<Error><Type>Sender</Type><Code>${code}</Code><Message>${escape(message)}</Message></Error>`;
  const body = `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">${error}</ErrorResponse>`;
  return { status, headers: { 'content-type': 'text/xml' }, body };
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
