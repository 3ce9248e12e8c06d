import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GUID } from '../com/index.ts';
import { NtError, STATUS_BUFFER_TOO_SMALL } from '../kernel/index.ts';
import * as ks from './index.ts';
import { guidField, Layout, POINTER_SIZE_32, ulong } from './layout.ts';

// sizeof and offsetof as a C compiler lays the public-domain ks.h and ksmedia.h out for 64-bit Windows.
const HEADER_LAYOUTS: readonly (readonly [string, AnyLayout, number, Readonly<Record<string, number>>])[] = [
  ['KSP_NODE', ks.KSP_NODE, 32, { property: 0, nodeId: 24 }],
  ['KSM_NODE', ks.KSM_NODE, 32, { method: 0, nodeId: 24 }],
  ['KSE_NODE', ks.KSE_NODE, 32, { event: 0, nodeId: 24 }],
  ['KSMULTIPLE_ITEM', ks.KSMULTIPLE_ITEM, 8, { size: 0, count: 4 }],
  [
    'KSPROPERTY_DESCRIPTION',
    ks.KSPROPERTY_DESCRIPTION,
    40,
    { accessFlags: 0, descriptionSize: 4, propTypeSet: 8, membersListCount: 32 },
  ],
  [
    'KSPROPERTY_MEMBERSHEADER',
    ks.KSPROPERTY_MEMBERSHEADER,
    16,
    { membersFlags: 0, membersSize: 4, membersCount: 8, flags: 12 },
  ],
  ['KSPROPERTY_BOUNDS_LONG', ks.KSPROPERTY_BOUNDS_LONG, 8, { signedMinimum: 0, signedMaximum: 4 }],
  ['KSPROPERTY_BOUNDS_LONGLONG', ks.KSPROPERTY_BOUNDS_LONGLONG, 16, { signedMinimum: 0, signedMaximum: 8 }],
  ['KSPROPERTY_STEPPING_LONG', ks.KSPROPERTY_STEPPING_LONG, 16, { steppingDelta: 0, bounds: 8 }],
  ['KSPROPERTY_STEPPING_LONGLONG', ks.KSPROPERTY_STEPPING_LONGLONG, 24, { steppingDelta: 0, bounds: 8 }],
  ['KSEVENTDATA', ks.KSEVENTDATA, 32, { notificationType: 0 }],
  ['KSQUERYBUFFER', ks.KSQUERYBUFFER, 40, { event: 0, eventData: 24 }],
  [
    'KSRELATIVEEVENT',
    ks.KSRELATIVEEVENT,
    80,
    { size: 0, flags: 4, objectHandle: 8, event: 24, eventData: 48 },
  ],
  ['KSEVENT_TIME_MARK', ks.KSEVENT_TIME_MARK, 40, { eventData: 0, markTime: 32 }],
  ['KSEVENT_TIME_INTERVAL', ks.KSEVENT_TIME_INTERVAL, 48, { eventData: 0, timeBase: 32, interval: 40 }],
  ['KSINTERVAL', ks.KSINTERVAL, 16, { timeBase: 0, interval: 8 }],
  [
    'KSCOMPONENTID',
    ks.KSCOMPONENTID,
    72,
    { manufacturer: 0, product: 16, component: 32, name: 48, version: 64, revision: 68 },
  ],
  [
    'KSTOPOLOGY_CONNECTION',
    ks.KSTOPOLOGY_CONNECTION,
    16,
    { fromNode: 0, fromNodePin: 4, toNode: 8, toNodePin: 12 },
  ],
  ['KSNODE_CREATE', ks.KSNODE_CREATE, 8, { createFlags: 0, node: 4 }],
  ['KSP_PIN', ks.KSP_PIN, 32, { property: 0, pinId: 24 }],
  ['KSPIN_CINSTANCES', ks.KSPIN_CINSTANCES, 8, { possibleCount: 0, currentCount: 4 }],
  ['KSPRIORITY', ks.KSPRIORITY, 8, { priorityClass: 0, prioritySubClass: 4 }],
  [
    'KSPIN_CONNECT',
    ks.KSPIN_CONNECT_HEADER,
    72,
    { interface: 0, medium: 24, pinId: 48, pinToHandle: 56, priority: 64 },
  ],
  [
    'KSALLOCATOR_FRAMING',
    ks.KSALLOCATOR_FRAMING,
    24,
    { optionsFlags: 0, poolType: 4, frames: 8, frameSize: 12, fileAlignment: 16 },
  ],
  ['KS_FRAMING_RANGE', ks.KS_FRAMING_RANGE, 12, { minFrameSize: 0, maxFrameSize: 4, stepping: 8 }],
  [
    'KS_FRAMING_RANGE_WEIGHTED',
    ks.KS_FRAMING_RANGE_WEIGHTED,
    20,
    { range: 0, inPlaceWeight: 12, notInPlaceWeight: 16 },
  ],
  [
    'KS_COMPRESSION',
    ks.KS_COMPRESSION,
    12,
    { ratioNumerator: 0, ratioDenominator: 4, ratioConstantMargin: 8 },
  ],
  [
    'KS_FRAMING_ITEM',
    ks.KS_FRAMING_ITEM,
    88,
    {
      memoryType: 0,
      busType: 16,
      memoryFlags: 32,
      busFlags: 36,
      flags: 40,
      frames: 44,
      fileAlignment: 48,
      memoryTypeWeight: 52,
      physicalRange: 56,
      framingRange: 68,
    },
  ],
  [
    'KSALLOCATOR_FRAMING_EX',
    ks.KSALLOCATOR_FRAMING_EX,
    112,
    { countItems: 0, pinFlags: 4, outputCompression: 8, pinWeight: 20, framingItem: 24 },
  ],
  ['KSSTREAMALLOCATOR_STATUS', ks.KSSTREAMALLOCATOR_STATUS, 32, { framing: 0, allocatedFrames: 24 }],
  ['KSTIME', ks.KSTIME, 16, { time: 0, numerator: 8, denominator: 12 }],
  [
    'KSSTREAM_HEADER',
    ks.KSSTREAM_HEADER,
    56,
    {
      size: 0,
      typeSpecificFlags: 4,
      presentationTime: 8,
      duration: 24,
      frameExtent: 32,
      dataUsed: 36,
      data: 40,
      optionsFlags: 48,
    },
  ],
  ['KSFRAMETIME', ks.KSFRAMETIME, 16, { duration: 0, frameFlags: 8 }],
  ['KSRATE', ks.KSRATE, 48, { presentationStart: 0, duration: 8, interface: 16, rate: 40, flags: 44 }],
  ['KSCLOCK_CREATE', ks.KSCLOCK_CREATE, 4, { createFlags: 0 }],
  ['KSCORRELATED_TIME', ks.KSCORRELATED_TIME, 16, { time: 0, systemTime: 8 }],
  ['KSRESOLUTION', ks.KSRESOLUTION, 16, { granularity: 0, error: 8 }],
  ['KSQUALITY', ks.KSQUALITY, 24, { context: 0, proportion: 8, deltaTime: 16 }],
  ['KSERROR', ks.KSERROR, 16, { context: 0, status: 8 }],
  ['KSPROPERTY_SERIAL', ks.KSPROPERTY_SERIAL, 32, { propTypeSet: 0, id: 24, propertyLength: 28 }],
  ['KSAUDIO_POSITION', ks.KSAUDIO_POSITION, 16, { playOffset: 0, writeOffset: 8 }],
  ['DS3DVECTOR', ks.DS3DVECTOR, 12, { x: 0, y: 4, z: 8 }],
  [
    'KSDS3D_LISTENER_ALL',
    ks.KSDS3D_LISTENER_ALL,
    60,
    {
      position: 0,
      velocity: 12,
      orientFront: 24,
      orientTop: 36,
      distanceFactor: 48,
      rolloffFactor: 52,
      dopplerFactor: 56,
    },
  ],
  ['KSDS3D_LISTENER_ORIENTATION', ks.KSDS3D_LISTENER_ORIENTATION, 24, { front: 0, top: 12 }],
  [
    'KSDS3D_BUFFER_ALL',
    ks.KSDS3D_BUFFER_ALL,
    60,
    {
      position: 0,
      velocity: 12,
      insideConeAngle: 24,
      outsideConeAngle: 28,
      coneOrientation: 32,
      coneOutsideVolume: 44,
      minDistance: 48,
      maxDistance: 52,
      mode: 56,
    },
  ],
  ['KSDS3D_BUFFER_CONE_ANGLES', ks.KSDS3D_BUFFER_CONE_ANGLES, 8, { insideConeAngle: 0, outsideConeAngle: 4 }],
  [
    'KSDS3D_ITD_PARAMS',
    ks.KSDS3D_ITD_PARAMS,
    24,
    {
      channel: 0,
      volSmoothScale: 4,
      totalDryAttenuation: 8,
      totalWetAttenuation: 12,
      smoothFrequency: 16,
      delay: 20,
    },
  ],
  ['KSAUDIO_COPY_PROTECTION', ks.KSAUDIO_COPY_PROTECTION, 8, { fCopyrighted: 0, fOriginal: 4 }],
  ['KSAUDIO_CHANNEL_CONFIG', ks.KSAUDIO_CHANNEL_CONFIG, 4, { activeSpeakerPositions: 0 }],
  ['KSAUDIO_DYNAMIC_RANGE', ks.KSAUDIO_DYNAMIC_RANGE, 8, { quietCompression: 0, loudCompression: 4 }],
  ['KSAUDIO_MIXLEVEL', ks.KSAUDIO_MIXLEVEL, 8, { mute: 0, level: 4 }],
  ['KSAUDIO_MIX_CAPS', ks.KSAUDIO_MIX_CAPS, 16, { mute: 0, minimum: 4, maximum: 8, reset: 12 }],
  ['KSAUDIO_STEREO_ENHANCE', ks.KSAUDIO_STEREO_ENHANCE, 16, { technique: 0, center: 4, depth: 8 }],
  ['KSAUDIO_PREFERRED_STATUS', ks.KSAUDIO_PREFERRED_STATUS, 16, { enable: 0, deviceType: 4, flags: 8 }],
  ['KSWAVE_VOLUME', ks.KSWAVE_VOLUME, 8, { leftAttenuation: 0, rightAttenuation: 4 }],
  ['KSWAVE_BUFFER', ks.KSWAVE_BUFFER, 16, { attributes: 0, bufferSize: 4, bufferAddress: 8 }],
  [
    'LOOPEDSTREAMING_POSITION_EVENT_DATA',
    ks.LOOPEDSTREAMING_POSITION_EVENT_DATA,
    40,
    { ksEventData: 0, position: 32 },
  ],
  ['KSNODEPROPERTY', ks.KSNODEPROPERTY, 32, { property: 0, nodeId: 24 }],
  ['KSNODEPROPERTY_AUDIO_CHANNEL', ks.KSNODEPROPERTY_AUDIO_CHANNEL, 40, { nodeProperty: 0, channel: 32 }],
  [
    'KSNODEPROPERTY_AUDIO_DEV_SPECIFIC',
    ks.KSNODEPROPERTY_AUDIO_DEV_SPECIFIC,
    48,
    { nodeProperty: 0, devSpecificId: 32, deviceInfo: 36, length: 40 },
  ],
  ['KSMUSICFORMAT', ks.KSMUSICFORMAT, 8, { timeDeltaMs: 0, byteCount: 4 }],
  [
    'KSAC3_ERROR_CONCEALMENT',
    ks.KSAC3_ERROR_CONCEALMENT,
    8,
    { fRepeatPreviousBlock: 0, fErrorInCurrentBlock: 4 },
  ],
  ['KSAC3_ALTERNATE_AUDIO', ks.KSAC3_ALTERNATE_AUDIO, 8, { fStereo: 0, dualMode: 4 }],
  ['KSAC3_DOWNMIX', ks.KSAC3_DOWNMIX, 8, { fDownMix: 0, fDolbySurround: 4 }],
];

// Structures that the DDI pages describe and those headers lack: sizes by C's alignment rules.
const NEWER_LAYOUTS: readonly (readonly [string, AnyLayout, number, Readonly<Record<string, number>>])[] = [
  ['KSEVENTDATA', ks.KSEVENTDATA, 32, { notificationType: 0, handle: 8, adjustment: 20 }],
  ['KSPROPERTY_SERIALHDR', ks.KSPROPERTY_SERIALHDR, 20, { propertySet: 0, count: 16 }],
  ['KSAUDIO_POSITIONEX', ks.KSAUDIO_POSITIONEX, 40, { timeStamp1: 8, position: 16, timeStamp2: 32 }],
  ['KSAUDIO_PRESENTATION_POSITION', ks.KSAUDIO_PRESENTATION_POSITION, 16, { u64QPCPosition: 8 }],
  [
    'KSRTAUDIO_BUFFER_PROPERTY',
    ks.KSRTAUDIO_BUFFER_PROPERTY,
    40,
    { baseAddress: 24, requestedBufferSize: 32 },
  ],
  [
    'KSRTAUDIO_BUFFER_PROPERTY_WITH_NOTIFICATION',
    ks.KSRTAUDIO_BUFFER_PROPERTY_WITH_NOTIFICATION,
    40,
    { requestedBufferSize: 32, notificationCount: 36 },
  ],
  ['KSRTAUDIO_BUFFER', ks.KSRTAUDIO_BUFFER, 16, { actualBufferSize: 8, callMemoryBarrier: 12 }],
  ['KSRTAUDIO_HWLATENCY', ks.KSRTAUDIO_HWLATENCY, 12, { chipsetDelay: 4, codecDelay: 8 }],
  ['KSRTAUDIO_HWREGISTER_PROPERTY', ks.KSRTAUDIO_HWREGISTER_PROPERTY, 32, { baseAddress: 24 }],
  [
    'KSRTAUDIO_HWREGISTER',
    ks.KSRTAUDIO_HWREGISTER,
    40,
    { width: 8, numerator: 16, denominator: 24, accuracy: 32 },
  ],
  [
    'KSRTAUDIO_NOTIFICATION_EVENT_PROPERTY',
    ks.KSRTAUDIO_NOTIFICATION_EVENT_PROPERTY,
    32,
    { notificationEvent: 24 },
  ],
  [
    'KSRTAUDIO_GETREADPACKET_INFO',
    ks.KSRTAUDIO_GETREADPACKET_INFO,
    24,
    { performanceCounterValue: 8, moreData: 16 },
  ],
  ['KSRTAUDIO_SETWRITEPACKET_INFO', ks.KSRTAUDIO_SETWRITEPACKET_INFO, 12, { flags: 4, eosPacketLength: 8 }],
  ['KSJACK_DESCRIPTION', ks.KSJACK_DESCRIPTION, 28, { connectionType: 8, isConnected: 24 }],
  ['KSJACK_DESCRIPTION2', ks.KSJACK_DESCRIPTION2, 8, { jackCapabilities: 4 }],
  ['KSJACK_DESCRIPTION3', ks.KSJACK_DESCRIPTION3, 4, { configId: 0 }],
  [
    'KSJACK_SINK_INFORMATION',
    ks.KSJACK_SINK_INFORMATION,
    96,
    { hdcpCapable: 12, sinkDescription: 22, portIdLowPart: 88 },
  ],
  ['KSAUDIO_MICROPHONE_COORDINATES', ks.KSAUDIO_MICROPHONE_COORDINATES, 12, { wHorizontalAngle: 10 }],
  ['KSAUDIO_MIC_ARRAY_GEOMETRY', ks.KSAUDIO_MIC_ARRAY_GEOMETRY, 18, { usNumberOfMicrophones: 16 }],
  ['KSAUDIOENGINE_DESCRIPTOR', ks.KSAUDIOENGINE_DESCRIPTOR, 12, { nLoopbackPinId: 8 }],
  ['KSAUDIOENGINE_VOLUMELEVEL', ks.KSAUDIOENGINE_VOLUMELEVEL, 16, { curveType: 4, curveDuration: 8 }],
  ['KSAUDIOMODULE_PROPERTY', ks.KSAUDIOMODULE_PROPERTY, 48, { classId: 24, instanceId: 40 }],
  ['KSAUDIOMODULE_DESCRIPTOR', ks.KSAUDIOMODULE_DESCRIPTOR, 284, { name: 28 }],
  ['KSSOUNDDETECTORPROPERTY', ks.KSSOUNDDETECTORPROPERTY, 40, { eventId: 24 }],
  ['KSIDENTIFIER', ks.KSIDENTIFIER, 24, { set: 0, id: 16, flags: 20 }],
];

interface AnyLayout {
  readonly name: string;
  readonly size: number;
  sizeOf(pointerSize: 4 | 8): number;
  offsetOf(field: never): number;
  decode(bytes: Uint8Array, offset?: number): object;
  encode(value: never): Uint8Array;
}

describe('memory layouts', () => {
  it.each([...HEADER_LAYOUTS, ...NEWER_LAYOUTS])(
    '%s is laid out as on 64-bit Windows',
    (_name, layout, size, offsets) => {
      expect(layout.size).toBe(size);
      for (const [field, offset] of Object.entries(offsets))
        expect(layout.offsetOf(field as never)).toBe(offset);
    },
  );

  it('knows the 32-bit form, where pointers take four bytes', () => {
    expect(ks.KSPIN_CONNECT_HEADER.sizeOf(POINTER_SIZE_32)).toBe(64);
    expect(ks.KSPIN_CONNECT_HEADER.offsetOf('pinToHandle', POINTER_SIZE_32)).toBe(52);
    expect(ks.KSEVENTDATA.sizeOf(POINTER_SIZE_32)).toBe(16);
    expect(ks.KSSTREAM_HEADER.sizeOf(POINTER_SIZE_32)).toBe(48);
    expect(ks.KSRTAUDIO_BUFFER.sizeOf(POINTER_SIZE_32)).toBe(12);
  });

  it('writes reserved members and padding as zeros', () => {
    const layout = new Layout<{ a: number; b: GUID }>('T', { a: ulong, _reserved: ulong, b: guidField });
    const bytes = new Uint8Array(32).fill(0xff);
    layout.encodeInto({ a: 1, b: new GUID(2, 3, 4, 5) }, bytes, 4);
    expect([...bytes.subarray(4, 12)]).toEqual([1, 0, 0, 0, 0, 0, 0, 0]);
    expect(bytes[3]).toBe(0xff);
    expect(bytes[28]).toBe(0xff);
  });

  it('keeps 64-bit numbers exact up to 2^53, negative ones too', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.maxSafeInteger(), (markTime, time) => {
        const decoded = ks.KSCORRELATED_TIME.decode(
          ks.KSCORRELATED_TIME.encode({ time: markTime, systemTime: time }),
        );
        expect(decoded).toEqual({ time: markTime, systemTime: time });
      }),
    );
  });

  it('gives back what was encoded, whatever the bytes', () => {
    const layouts = [...HEADER_LAYOUTS, ...NEWER_LAYOUTS].map(([, layout]) => layout);
    fc.assert(
      fc.property(
        fc.constantFrom(...layouts),
        fc.uint8Array({ minLength: 600, maxLength: 600 }),
        (layout, noise) => {
          // 64-bit members keep 53 bits: the highest bytes of random ones are cleared.
          const once = layout.encode(layout.decode(noise) as never);
          const twice = layout.encode(layout.decode(once) as never);
          expect(twice).toEqual(layout.encode(layout.decode(twice) as never));
          expect(layout.decode(twice)).toEqual(layout.decode(once));
        },
      ),
    );
  });

  it('answers missing bytes with STATUS_BUFFER_TOO_SMALL and nothing else', () => {
    const layouts = [...HEADER_LAYOUTS, ...NEWER_LAYOUTS].map(([, layout]) => layout);
    fc.assert(
      fc.property(
        fc.constantFrom(...layouts),
        fc.nat(600),
        fc.integer({ min: -8, max: 600 }),
        (layout, length, offset) => {
          const fits = offset >= 0 && offset + layout.size <= length;
          if (fits) expect(() => layout.decode(new Uint8Array(length), offset)).not.toThrow();
          else
            expect(statusOf(() => layout.decode(new Uint8Array(length), offset))).toBe(
              STATUS_BUFFER_TOO_SMALL,
            );
        },
      ),
    );
  });
});

function statusOf(fn: () => unknown): number | null {
  try {
    fn();
    return null;
  } catch (error) {
    if (error instanceof NtError) return error.status;
    throw error;
  }
}
