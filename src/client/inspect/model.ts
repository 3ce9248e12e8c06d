/**
 * A filter as its properties describe it: plain data, ready for JSON. GUIDs stand as the names the headers give them
 * (`KSNODETYPE_VOLUME`), or in registry form when they have none.
 */

/** One filter: what one device interface opens. */
export interface FilterModel {
  /** Symbolic link of the device interface. */
  readonly path: string;
  /** Reference string of the subdevice: `Wave`, `Topology` … */
  readonly reference: string;
  readonly categories: readonly string[];
  readonly pins: readonly PinModel[];
  readonly nodes: readonly NodeModel[];
  readonly connections: readonly ConnectionModel[];
}

/** One pin factory. */
export interface PinModel {
  readonly id: number;
  readonly category: string;
  /** From KSPROPERTY_PIN_NAME; null when the driver and the registry know none. */
  readonly name: string | null;
  /** Seen from the filter. */
  readonly dataFlow: 'in' | 'out';
  readonly communication: 'none' | 'sink' | 'source' | 'both' | 'bridge';
  /** How many instances may be open at once on this filter; null: no limit. */
  readonly possibleInstances: number | null;
  readonly currentInstances: number;
  readonly necessaryInstances: number;
  readonly dataRanges: readonly DataRangeModel[];
  readonly interfaces: readonly string[];
  readonly mediums: readonly string[];
  /** The other filter's pin that this one is wired to. */
  readonly physicalConnection: PhysicalConnectionModel | null;
  readonly jacks: readonly JackModel[];
}

/** What formats a pin takes. */
export interface DataRangeModel {
  readonly majorFormat: string;
  readonly subFormat: string;
  readonly specifier: string;
  /** Null when the range is none of wave audio. */
  readonly audio: {
    readonly maximumChannels: number;
    readonly minimumBits: number;
    readonly maximumBits: number;
    readonly minimumRate: number;
    readonly maximumRate: number;
  } | null;
}

/** A wire between two filters. */
export interface PhysicalConnectionModel {
  /** Symbolic link of the other filter. */
  readonly path: string;
  readonly pin: number;
}

/** One jack of a bridge pin (KSJACK_DESCRIPTION), in words. */
export interface JackModel {
  /** `SPEAKER_…` bits. */
  readonly channelMapping: number;
  /** `#rrggbb`, or null when the jack has no colour. */
  readonly color: string | null;
  readonly connection: string;
  readonly place: string;
  readonly enclosure: string;
  readonly port: string;
  readonly connected: boolean;
}

/** One node. */
export interface NodeModel {
  readonly id: number;
  readonly type: string;
  /** From KSPROPERTY_TOPOLOGY_NAME. */
  readonly name: string | null;
  readonly properties: readonly NodePropertyModel[];
}

/** One property that a node answers. */
export interface NodePropertyModel {
  /** `KSPROPERTY_AUDIO_VOLUMELEVEL` … */
  readonly property: string;
  readonly get: boolean;
  readonly set: boolean;
  /** Name of the VARENUM type, null when the driver does not say. */
  readonly valueType: string | null;
  /** Ranges from the basic-support answer; one per channel when `multichannel`. */
  readonly ranges: readonly RangeModel[];
  readonly multichannel: boolean;
  readonly uniform: boolean;
}

/** Values that a property takes, in its own unit (1/65536 dB for levels). */
export interface RangeModel {
  readonly minimum: number;
  readonly maximum: number;
  /** 0 when the driver states none. */
  readonly step: number;
}

/** A wire inside a filter; a null node is the filter itself, whose pins are the pin factories. */
export interface ConnectionModel {
  readonly fromNode: number | null;
  readonly fromPin: number;
  readonly toNode: number | null;
  readonly toPin: number;
}

/** Can a client open the pin and stream through it? (DDI page KSPIN_COMMUNICATION) */
export function isHostPin(pin: PinModel): boolean {
  return pin.communication === 'sink' || pin.communication === 'both' || pin.communication === 'source';
}
