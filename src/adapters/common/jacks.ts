/** Jacks of cards without jack detection, and the filter's properties that describe them. */
import { NtError, STATUS_INVALID_PARAMETER } from '../../kernel/index.ts';
import {
  encodeJackDescription2s,
  encodeJackDescriptions,
  type KSJACK_DESCRIPTION,
  KSPROPERTY_JACK_DESCRIPTION,
  KSPROPERTY_JACK_DESCRIPTION2,
  KSPROPERTY_TYPE_BASICSUPPORT,
  KSPROPERTY_TYPE_GET,
  KSPROPSETID_Jack,
} from '../../ks/index.ts';
import {
  type PCPROPERTY_ITEM,
  PCPROPERTY_ITEM_FLAG_BASICSUPPORT,
  PCPROPERTY_ITEM_FLAG_GET,
} from '../../portcls/index.ts';

/** Speaker positions, colours and places of KSJACK_DESCRIPTION (ksmedia.h, devicetopology.h). */
export const FRONT_LEFT_RIGHT = 0x3;
export const COLOR_LIME = 0x00b6_ff00;
export const COLOR_PINK = 0x00ff_c0cb;
export const COLOR_BLUE = 0x0000_8cff;
const CONNECTOR_3_5MM = 1; // eConnType3Point5mm
const CONNECTOR_ATAPI = 3; // eConnTypeAtapiInternal
const LOCATION_REAR = 1; // eGeoLocRear
const LOCATION_ATAPI = 13; // eGeoLocATAPI
const GENERAL_PRIMARY_BOX = 0; // eGenLocPrimaryBox
const GENERAL_INTERNAL = 1; // eGenLocInternal
const PORT_JACK = 0; // ePortConnJack
const PORT_INTEGRATED = 1; // ePortConnIntegratedDevice

/** A 3.5 mm jack at the rear. Without jack detection it counts as connected, as the property's page asks of such hardware. */
export function rearJack(channelMapping: number, color: number): KSJACK_DESCRIPTION {
  return {
    channelMapping,
    color,
    connectionType: CONNECTOR_3_5MM,
    geoLocation: LOCATION_REAR,
    genLocation: GENERAL_PRIMARY_BOX,
    portConnection: PORT_JACK,
    isConnected: true,
  };
}

/** A connector on the board itself: CD audio, the PC's speaker. */
export const INTERNAL_HEADER: KSJACK_DESCRIPTION = {
  channelMapping: 0,
  color: 0,
  connectionType: CONNECTOR_ATAPI,
  geoLocation: LOCATION_ATAPI,
  genLocation: GENERAL_INTERNAL,
  portConnection: PORT_INTEGRATED,
  isConnected: true,
};

/** KSJACK_DESCRIPTION2: what is plugged in can be sensed (JACKDESC2_PRESENCE_DETECT_CAPABILITY). */
export const PRESENCE_DETECT_CAPABILITY = 1;

/** A jack as it is now, and whether that can change. */
export interface JackView {
  readonly description: KSJACK_DESCRIPTION;
  /** JACKDESC2_* */
  readonly capabilities: number;
}

/**
 * KSPROPERTY_JACK_DESCRIPTION and _DESCRIPTION2 for a filter's automation table. The pin's number follows the property (KSP_PIN); a pin
 * without a jack answers with an empty list, one that does not exist is STATUS_INVALID_PARAMETER.
 */
export function jackItems(
  pinCount: number,
  jacks: ReadonlyMap<number, KSJACK_DESCRIPTION>,
): readonly PCPROPERTY_ITEM[] {
  return liveJackItems(pinCount, (pinId) => {
    const description = jacks.get(pinId);
    return description ? [{ description, capabilities: 0 }] : [];
  });
}

/** As {@link jackItems}, for jacks that are asked each time, several of which may be behind one pin. */
export function liveJackItems(
  pinCount: number,
  jacksOf: (pinId: number) => readonly JackView[],
): readonly PCPROPERTY_ITEM[] {
  return [
    jackItem(KSPROPERTY_JACK_DESCRIPTION, pinCount, (pinId) =>
      encodeJackDescriptions(jacksOf(pinId).map(({ description }) => description)),
    ),
    jackItem(KSPROPERTY_JACK_DESCRIPTION2, pinCount, (pinId) =>
      encodeJackDescription2s(
        jacksOf(pinId).map(({ capabilities }) => ({ deviceStateInfo: 0, jackCapabilities: capabilities })),
      ),
    ),
  ];
}

/** A property of KSPROPSETID_Jack that can be read; `encode` is asked for pins that exist. */
export function jackItem(
  id: number,
  pinCount: number,
  encode: (pinId: number) => Uint8Array,
): PCPROPERTY_ITEM {
  return {
    set: KSPROPSETID_Jack,
    id,
    flags: PCPROPERTY_ITEM_FLAG_GET | PCPROPERTY_ITEM_FLAG_BASICSUPPORT,
    handler: (request) => {
      if (request.verb === KSPROPERTY_TYPE_BASICSUPPORT) {
        request.answerBasicSupport({ accessFlags: KSPROPERTY_TYPE_GET | KSPROPERTY_TYPE_BASICSUPPORT });
        return;
      }
      const pinId = request.instanceUlong(0);
      if (pinId >= pinCount) throw new NtError(STATUS_INVALID_PARAMETER);
      request.setBytes(encode(pinId));
    },
  };
}
