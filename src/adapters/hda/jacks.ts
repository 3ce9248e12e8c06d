/** The jacks behind a topology filter's pins: what is plugged in, how clients hear of changes. */
import { NtError, ntSuccess, STATUS_INVALID_PARAMETER, STATUS_NOT_SUPPORTED } from '../../kernel/index.ts';
import {
  KSEVENT_PINCAPS_JACKINFOCHANGE,
  KSEVENTSETID_PinCapsChange,
  KSJACK_SINK_INFORMATION,
  KSNODETYPE_SPDIF_INTERFACE,
  KSPROPERTY_JACK_SINK_INFO,
  readUlong,
} from '../../ks/index.ts';
import {
  type IPortEvents,
  type PCEVENT_ITEM,
  PCEVENT_ITEM_FLAG_BASICSUPPORT,
  PCEVENT_ITEM_FLAG_ENABLE,
  PCEVENT_VERB_ADD,
  PCEVENT_VERB_REMOVE,
  type PCPROPERTY_ITEM,
} from '../../portcls/index.ts';
import { type JackView, jackItem, liveJackItems, PRESENCE_DETECT_CAPABILITY } from '../common/jacks.ts';
import type { CodecDevice, PlanJack, PlanPort } from './codec/model.ts';

/** KSJACK_SINK_CONNECTIONTYPE_* (ksmedia.h). */
const SINK_HDMI = 0;
const SINK_DISPLAYPORT = 1;
/** Room of KSJACK_SINK_INFORMATION.SinkDescription, with its terminating zero. */
const SINK_DESCRIPTION_CHARACTERS = 32;

/** What is plugged into a codec's jacks, as of the last look. */
export class JackMonitor {
  readonly #codec: CodecDevice;
  readonly #present = new Map<number, boolean>();
  /** Told of each port whose jacks changed. Up to DISPATCH_LEVEL. */
  onChange: ((port: number) => void) | null = null;

  constructor(codec: CodecDevice) {
    this.#codec = codec;
  }

  /** Looks at every jack, after start and after D3, where nobody said what happened. IRQL <= DISPATCH_LEVEL. */
  refresh(): void {
    for (const { jacks } of this.#codec.plan.ports) for (const jack of jacks) this.#look(jack);
  }

  /** Follows a codec's word. At DISPATCH_LEVEL. */
  unsolicited(response: number): void {
    const jack = this.#codec.jackOfUnsolicited(response);
    // A display that stays may have a new ELD: clients are told in any case.
    if (jack) this.#look(jack, jack.eld);
  }

  isPresent(jack: PlanJack): boolean {
    return this.#present.get(jack.nid) ?? true;
  }

  #look(jack: PlanJack, tellAnyway = false): void {
    if (!jack.presenceDetect) return;
    let present: boolean;
    try {
      present = this.#codec.readPresence(jack).present;
    } catch (error) {
      // The card is gone, or its codec dumb: what was known last stays.
      if (error instanceof NtError && !ntSuccess(error.status)) return;
      throw error;
    }
    const before = this.#present.get(jack.nid);
    this.#present.set(jack.nid, present);
    if (before === present && !tellAnyway) return;
    const port = this.#codec.plan.ports.findIndex(({ jacks }) => jacks.includes(jack));
    if (port >= 0) this.onChange?.(port);
  }
}

/** EPcxConnectionType (ksmedia.h). */
const CONNECTION_UNKNOWN = 0;
const CONNECTION_OTHER_DIGITAL = 6;
const CONNECTION_OTHER_ANALOG = 7;

/** Where firmware left the connector open, the kind of signal is known all the same. */
function connectorOf({ connectionType, category, display }: PlanJack): number {
  if (connectionType !== CONNECTION_UNKNOWN) return connectionType;
  const digital = display !== null || category.equals(KSNODETYPE_SPDIF_INTERFACE);
  return digital ? CONNECTION_OTHER_DIGITAL : CONNECTION_OTHER_ANALOG;
}

/** A jack as KS describes it. */
function viewOf(jack: PlanJack, present: boolean): JackView {
  const { channelMapping, color, geoLocation, genLocation, portConnection } = jack;
  return {
    description: {
      channelMapping: jack.direction === 'render' ? channelMapping : 0,
      color,
      connectionType: connectorOf(jack),
      geoLocation,
      genLocation,
      portConnection,
      isConnected: present,
    },
    capabilities: jack.presenceDetect ? PRESENCE_DETECT_CAPABILITY : 0,
  };
}

/** Properties of KSPROPSETID_Jack for a filter's automation table. `portOf` says which port a pin stands for, null for other pins. */
export function codecJackItems(
  codec: CodecDevice,
  monitor: JackMonitor,
  pinCount: number,
  portOf: (pinId: number) => PlanPort | null,
): readonly PCPROPERTY_ITEM[] {
  const items = [
    ...liveJackItems(pinCount, (pinId) =>
      (portOf(pinId)?.jacks ?? []).map((jack) => viewOf(jack, monitor.isPresent(jack))),
    ),
  ];
  if (codec.plan.ports.some(({ jacks }) => jacks.some(({ eld }) => eld))) {
    items.push(
      jackItem(KSPROPERTY_JACK_SINK_INFO, pinCount, (pinId) => sinkInformation(codec, portOf(pinId))),
    );
  }
  return items;
}

/** What the display says of itself. STATUS_NOT_SUPPORTED for other jacks, and while none is there. */
function sinkInformation(codec: CodecDevice, port: PlanPort | null): Uint8Array {
  const jack = port?.jacks.find(({ eld }) => eld);
  const eld = jack ? codec.readEld(jack) : null;
  if (!eld) throw new NtError(STATUS_NOT_SUPPORTED);
  const sinkDescription = eld.monitorName.slice(0, SINK_DESCRIPTION_CHARACTERS - 1);
  return KSJACK_SINK_INFORMATION.encode({
    connType: eld.connection === 'hdmi' ? SINK_HDMI : SINK_DISPLAYPORT,
    manufacturerId: eld.manufacturerId,
    productId: eld.productId,
    audioLatency: eld.audioLatencyMs,
    hdcpCapable: eld.hdcp,
    aiCapable: eld.ai,
    sinkDescriptionLength: sinkDescription.length,
    sinkDescription,
    portIdLowPart: eld.portIdLow,
    portIdHighPart: eld.portIdHigh,
  });
}

/** KSEVENT_PINCAPS_JACKINFOCHANGE for a filter's automation table; the pin's number follows the event (KSE_PIN). */
export function jackChangeItem(
  events: () => IPortEvents | null,
  portOf: (pinId: number) => PlanPort | null,
): PCEVENT_ITEM {
  return {
    set: KSEVENTSETID_PinCapsChange,
    id: KSEVENT_PINCAPS_JACKINFOCHANGE,
    flags: PCEVENT_ITEM_FLAG_ENABLE | PCEVENT_ITEM_FLAG_BASICSUPPORT,
    handler: ({ verb, eventEntry, instance }) => {
      if (verb === PCEVENT_VERB_REMOVE) return;
      // A question about support may leave the pin out.
      if (instance.byteLength >= 4 && portOf(readUlong(instance, 0)) === null)
        throw new NtError(STATUS_INVALID_PARAMETER, 'HDA: no jack is behind this pin.');
      if (verb !== PCEVENT_VERB_ADD || !eventEntry) return;
      if (instance.byteLength < 4) throw new NtError(STATUS_INVALID_PARAMETER);
      events()?.addEventToEventList(eventEntry);
    },
  };
}

/** Tells whoever waits for changes of a pin's jacks. Any IRQL. */
export function signalJackChange(events: IPortEvents, pinId: number): void {
  events.generateEventList(KSEVENTSETID_PinCapsChange, KSEVENT_PINCAPS_JACKINFOCHANGE, true, pinId, false, 0);
}
