import type { KubeObject } from '../kube.ts';
import { itemsAt, numberAt, textAt } from '../fields.ts';
import { type Readiness, condition, current, failed, progressing } from './state.ts';

export function serviceReadiness(object: KubeObject): Readiness {
  if (textAt(object, 'spec', 'type') !== 'LoadBalancer') return current('serves inside the cluster');
  return addressReadiness(object, 'NoIPAssigned');
}

export function ingressReadiness(object: KubeObject): Readiness {
  return addressReadiness(object, 'NoAddress');
}

function addressReadiness(object: KubeObject, reason: string): Readiness {
  const [entry] = itemsAt(object, 'status', 'loadBalancer', 'ingress');
  const address = textAt(entry, 'hostname') || textAt(entry, 'ip');
  return address === '' ? progressing(reason, 'its load balancer has no address yet') : current(`at ${address}`);
}

export function claimReadiness(object: KubeObject): Readiness {
  const phase = textAt(object, 'status', 'phase');
  if (phase === 'Bound') return current('bound');
  if (phase === 'Lost') return failed('VolumeLost', 'its volume is gone');
  return progressing('NotBound', 'not bound to a volume yet');
}

export function definitionReadiness(object: KubeObject): Readiness {
  const names = condition(object, 'NamesAccepted');
  if (names?.status === 'False') return failed(names.reason || 'NamesNotAccepted', names.message);
  const established = condition(object, 'Established');
  if (established?.status === 'True') return current('established');
  if (established?.status === 'False' && established.reason !== 'Installing')
    return failed(established.reason || 'NotEstablished', established.message);
  return progressing('Installing', 'not established yet');
}

/** An autoscaler that gets no metrics keeps the pods there are, so no deploy is taken back for it. */
export function autoscalerReadiness(object: KubeObject): Readiness {
  const active = condition(object, 'ScalingActive');
  if (active?.status === 'False' && active.reason === 'ScalingDisabled') return current('scaling is switched off');
  const able = condition(object, 'AbleToScale');
  if (able?.status === 'False') return progressing(able.reason || 'NotAbleToScale', able.message);
  if (able === undefined) return progressing('NotSeen', 'the controller has not seen it yet');
  return current(active?.status === 'True' ? 'scales' : 'in place, but has no metrics yet');
}

export function budgetReadiness(object: KubeObject): Readiness {
  if (numberAt(object, 'status', 'observedGeneration') === undefined)
    return progressing('NoObservedGeneration', 'the controller has not seen it yet');
  return current('seen by the controller');
}
