/**
 * The wave filter, built from the codec's plan: for each device
 *
 *            +---------------------------------------------+
 *   render   |  2n (host sink)   ──> DAC ──>  2n+1 (bridge) |  to the topology filter
 *   capture  |  2n (host source) <── ADC <──  2n+1 (bridge) |  from the topology filter
 *            +---------------------------------------------+
 */
import type { GUID } from '../../com/index.ts';
import {
  KSCATEGORY_AUDIO,
  KSCATEGORY_CAPTURE,
  KSCATEGORY_REALTIME,
  KSCATEGORY_RENDER,
  KSNODETYPE_ADC,
  KSNODETYPE_DAC,
  KSPIN_DATAFLOW_IN,
  KSPIN_DATAFLOW_OUT,
} from '../../ks/index.ts';
import {
  type PCCONNECTION_DESCRIPTOR,
  type PCFILTER_DESCRIPTOR,
  PCFILTER_NODE,
  type PCNODE_DESCRIPTOR,
  type PCPIN_DESCRIPTOR,
  type PCPROPERTY_ITEM,
} from '../../portcls/index.ts';
import { bridgePin, hostPin } from '../common/pins.ts';
import type { CodecPlan, PlanDevice } from './codec/model.ts';
import type { ConverterFormats } from './stream-format.ts';
import { dataRanges } from './wave-formats.ts';

/** The controller's word for channels has 4 bits; KS has names for 8 speakers in a row. */
const MOST_CHANNELS = 8;

export function hostPinOf(device: number): number {
  return 2 * device;
}

export function bridgePinOf(device: number): number {
  return 2 * device + 1;
}

/** The device behind a host pin; null for other pins. */
export function deviceOfHostPin(plan: CodecPlan, pinId: number): number | null {
  return pinId % 2 === 0 && pinId / 2 < plan.devices.length ? pinId / 2 : null;
}

/** What streams of a device may be. */
export function formatsOf({ formats, maximumChannels, digital, direction }: PlanDevice): ConverterFormats {
  return {
    rates: formats.rates,
    bits: formats.bits,
    maximumChannels: Math.min(maximumChannels, MOST_CHANNELS),
    ac3: formats.ac3 && direction === 'render' && digital !== 'none',
  };
}

/** Names of a device's host pin and converter. */
export interface DeviceNames {
  readonly pin: GUID;
  readonly node: GUID;
}

/** Builds the filter. `deviceNames` are by device. */
export function waveFilter(
  plan: CodecPlan,
  deviceNames: readonly DeviceNames[],
  properties: readonly PCPROPERTY_ITEM[],
): PCFILTER_DESCRIPTOR {
  const pins: PCPIN_DESCRIPTOR[] = [];
  const nodes: PCNODE_DESCRIPTOR[] = [];
  const connections: PCCONNECTION_DESCRIPTOR[] = [];
  for (const [index, device] of plan.devices.entries()) {
    const render = device.direction === 'render';
    const [host, bridge] = [hostPinOf(index), bridgePinOf(index)];
    const pin = hostPin(render ? KSPIN_DATAFLOW_IN : KSPIN_DATAFLOW_OUT, dataRanges(formatsOf(device)));
    const names = deviceNames[index];
    pins.push(
      { ...pin, kspinDescriptor: { ...pin.kspinDescriptor, name: names?.pin ?? null } },
      bridgePin(render ? KSPIN_DATAFLOW_OUT : KSPIN_DATAFLOW_IN),
    );
    nodes.push({ type: render ? KSNODETYPE_DAC : KSNODETYPE_ADC, name: names?.node ?? null });
    const [from, to] = render ? [host, bridge] : [bridge, host];
    connections.push(
      { fromNode: PCFILTER_NODE, fromNodePin: from, toNode: index, toNodePin: 1 },
      { fromNode: index, fromNodePin: 0, toNode: PCFILTER_NODE, toNodePin: to },
    );
  }
  const has = (direction: PlanDevice['direction']) =>
    plan.devices.some((device) => device.direction === direction);
  return {
    version: 0,
    automationTable: { properties },
    pins,
    nodes,
    connections,
    categories: [
      KSCATEGORY_AUDIO,
      ...(has('render') ? [KSCATEGORY_RENDER] : []),
      ...(has('capture') ? [KSCATEGORY_CAPTURE] : []),
      KSCATEGORY_REALTIME,
    ],
  };
}
