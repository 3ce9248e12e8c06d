import { GUID } from '../com/index.ts';
import {
  type DEVICE_OBJECT,
  FILE_DEVICE_KS,
  type IRP,
  IRP_MJ_CLEANUP,
  IRP_MJ_CLOSE,
  IRP_MJ_CREATE,
  IRP_MJ_DEVICE_CONTROL,
  IRP_MJ_READ,
  ioCompleteRequest,
  ioCreateDevice,
  ioCreateSymbolicLink,
  ioGetCurrentIrpStackLocation,
  ioMarkIrpPending,
  Kernel,
  type NTSTATUS,
  NtError,
  STATUS_INVALID_PARAMETER,
  STATUS_NO_MATCH,
  STATUS_NOT_FOUND,
  STATUS_NOT_IMPLEMENTED,
  STATUS_PENDING,
  STATUS_SUCCESS,
  UserProcess,
} from '../kernel/index.ts';
import { TestPlatform } from '../kernel/test-platform.ts';
import * as ks from './index.ts';
import { viewOf } from './layout.ts';

/** A set of the test's own. */
export const TEST_SET = new GUID(0x1234, 1, 2, 3);
export const TEST_EVENTS = new GUID(0x1234, 4, 5, 6);
export const TEST_METHODS = new GUID(0x1234, 7, 8, 9);

export const TEST_VOLUME = 1;
export const TEST_READ_ONLY = 2;
export const TEST_WRITE_ONLY = 3;
export const TEST_TEXT = 4;
export const TEST_RAW = 5;
export const TEST_ECHO = 200;

const pcmRange = ks.audioDataRange({
  maximumChannels: 2,
  minimumBitsPerSample: 8,
  maximumBitsPerSample: 16,
  minimumSampleFrequency: 8000,
  maximumSampleFrequency: 48000,
});

export const TEST_PINS: readonly ks.KSPIN_DESCRIPTOR[] = [
  {
    dataRanges: [{ ...pcmRange, specifier: ks.KSDATAFORMAT_SPECIFIER_DSOUND }, pcmRange],
    dataFlow: ks.KSPIN_DATAFLOW_IN,
    communication: ks.KSPIN_COMMUNICATION_SINK,
    category: ks.KSCATEGORY_AUDIO,
    name: null,
  },
  {
    dataRanges: [
      {
        flags: 0,
        sampleSize: 0,
        majorFormat: ks.KSDATAFORMAT_TYPE_AUDIO,
        subFormat: ks.KSDATAFORMAT_SUBTYPE_ANALOG,
        specifier: ks.KSDATAFORMAT_SPECIFIER_NONE,
      },
    ],
    dataFlow: ks.KSPIN_DATAFLOW_OUT,
    communication: ks.KSPIN_COMMUNICATION_NONE,
    category: ks.KSNODETYPE_SPEAKER,
    name: ks.KSAUDFNAME_WAVE_OUT_MIX,
  },
  {
    dataRanges: [pcmRange],
    dataFlow: ks.KSPIN_DATAFLOW_OUT,
    communication: ks.KSPIN_COMMUNICATION_SOURCE,
    category: ks.KSCATEGORY_AUDIO,
    name: null,
  },
];

export const TEST_TOPOLOGY: ks.KSTOPOLOGY = {
  categories: [ks.KSCATEGORY_AUDIO, ks.KSCATEGORY_RENDER],
  topologyNodes: [ks.KSNODETYPE_VOLUME, ks.KSNODETYPE_SUM],
  topologyConnections: [
    { fromNode: ks.KSFILTER_NODE, fromNodePin: 0, toNode: 0, toNodePin: 1 },
    { fromNode: 0, fromNodePin: 0, toNode: ks.KSFILTER_NODE, toNodePin: 1 },
  ],
  topologyNodesNames: [ks.KSAUDFNAME_WAVE_VOLUME, null],
};

export const TEST_FRAMING: ks.KSALLOCATOR_FRAMING = {
  optionsFlags: ks.KSALLOCATOR_REQUIREMENTF_SYSTEM_MEMORY,
  poolType: 0,
  frames: 8,
  frameSize: 4096,
  fileAlignment: 7,
};

export const TEST_COMPONENT: ks.KSCOMPONENTID = {
  manufacturer: new GUID(1, 0, 0, 0),
  product: new GUID(2, 0, 0, 0),
  component: new GUID(3, 0, 0, 0),
  name: new GUID(4, 0, 0, 0),
  version: 1,
  revision: 2,
};

/** A KS driver without hardware, for tests: one filter, three pin factories, two nodes, an event and a method. */
export class TestFilter {
  readonly kernel = new Kernel(new TestPlatform());
  readonly process: UserProcess;
  readonly eventsList = new ks.KsEventList();
  readonly removedEvents: number[] = [];
  readonly device: DEVICE_OBJECT;
  /** What the driver was asked, in order. */
  readonly log: string[] = [];
  volume = 0;
  writeOnly = 0;
  text = 'text';
  state: ks.KSSTATE = ks.KSSTATE_STOP;
  format: ks.KSDATAFORMAT | null = null;
  priority: ks.KSPRIORITY = { priorityClass: ks.KSPRIORITY_NORMAL, prioritySubClass: 0 };
  /** IRPs that the ECHO method keeps. */
  readonly pending: IRP[] = [];

  constructor() {
    this.device = this.kernel.enter(() => this.#load());
    this.process = new UserProcess(this.kernel, 'client');
  }

  /** Opens the filter. */
  open(name = 'Wave'): number {
    return this.process.createFile(`\\\\.\\TestKs\\${name}`);
  }

  dispose(): void {
    this.process.terminate();
    this.kernel.dispose();
  }

  #load(): DEVICE_OBJECT {
    const driver = this.kernel.io.createDriver('testks');
    const device = ioCreateDevice(driver, null, '\\Device\\TestKs', FILE_DEVICE_KS);
    ioCreateSymbolicLink('\\??\\TestKs', '\\Device\\TestKs');
    for (const major of [IRP_MJ_CREATE, IRP_MJ_CLOSE, IRP_MJ_CLEANUP, IRP_MJ_DEVICE_CONTROL, IRP_MJ_READ]) {
      ks.ksSetMajorFunctionHandler(driver, major);
    }
    ks.ksAllocateDeviceHeader(device, [
      { create: (_device, irp) => this.#createFilter(irp), context: 'filter', objectClass: 'Wave' },
    ]);
    return device;
  }

  #createFilter(irp: IRP): NTSTATUS {
    const handlers: ks.KsControlHandlers = {
      properties: this.#filterProperties(),
      nodeProperties: [this.#nodeProperties(), null],
      events: this.#events(),
      eventsList: this.eventsList,
      methods: this.#methods(),
    };
    const table: ks.KSDISPATCH_TABLE = {
      deviceIoControl: (_device, request) => ks.ksDispatchDeviceControl(request, handlers),
      cleanup: (_device, request) => {
        const header = ks.ksObjectHeaderOf(ioGetCurrentIrpStackLocation(request).fileObject);
        if (header !== null) ks.ksFreeEventList(header.fileObject, this.eventsList);
        return complete(request);
      },
    };
    ks.ksAllocateObjectHeader(irp, table, [
      {
        create: (_device, request) => this.#createPin(request),
        context: 'pin',
        objectClass: ks.KSSTRING_Pin,
      },
    ]);
    return complete(irp);
  }

  #createPin(irp: IRP): NTSTATUS {
    const { dataFormat } = ks.ksValidateConnectRequest(irp, TEST_PINS);
    this.format = dataFormat;
    const properties = new ks.KsPropertyTable([
      ks.connectionPropertySet({
        getState: () => this.state,
        setState: (state) => {
          this.log.push(ks.ksStateName(state));
          this.state = state;
        },
        getDataFormat: () => this.format ?? dataFormat,
        setDataFormat: (format) => {
          this.format = format;
        },
        proposeDataFormat: (format) => {
          if (!TEST_PINS[0]?.dataRanges.some((range) => ks.dataFormatWithinRange(format, range))) {
            throw new NtError(STATUS_NO_MATCH);
          }
        },
        getPriority: () => this.priority,
        setPriority: (priority) => {
          this.priority = priority;
        },
        getAllocatorFraming: () => TEST_FRAMING,
        getAllocatorFramingEx: () => ks.simpleFramingEx(ks.KSMEMORY_TYPE_KERNEL_NONPAGED, 0, 2, 3, 512, 4096),
        getAcquireOrdering: () => true,
        startAt: ({ event }) => {
          this.log.push(`start at ${ks.ksEventName(event.set, event.id)}`);
        },
      }),
      ks.generalPropertySet(TEST_COMPONENT),
    ]);
    ks.ksAllocateObjectHeader(irp, {
      deviceIoControl: (_device, request) => ks.ksDispatchDeviceControl(request, { properties }),
    });
    return complete(irp);
  }

  #filterProperties(): ks.KsPropertyTable {
    return new ks.KsPropertyTable([
      ks.pinPropertySet(TEST_PINS, {
        instances: () => ({ possibleCount: 1, currentCount: 0 }),
        name: (_pin, name) => ks.ksGuidName(name) ?? 'nameless',
        physicalConnection: (pin) => (pin === 1 ? { pin: 3, symbolicLinkName: '\\??\\other' } : null),
        modeDataFormats: () => [ks.pcmFormat(48000, 2, 16)],
      }),
      ks.topologyPropertySet(TEST_TOPOLOGY, (_node, name) => ks.ksGuidName(name) ?? 'nameless'),
      this.#testSet(),
    ]);
  }

  #testSet(): ks.KSPROPERTY_SET {
    const volumeValues: ks.KSPROPERTY_VALUES = {
      propTypeSet: ks.generalType(ks.VT_I4),
      membersList: [
        ks.steppedRanges([
          { steppingDelta: 0x8000, bounds: { signedMinimum: -96 * 65536, signedMaximum: 0 } },
        ]),
        ks.longValues([-6 * 65536], ks.KSPROPERTY_MEMBER_FLAG_DEFAULT),
      ],
    };
    return {
      set: TEST_SET,
      propertyItem: [
        {
          propertyId: TEST_VOLUME,
          minProperty: 24,
          minData: 4,
          values: volumeValues,
          relations: [{ set: TEST_SET, id: TEST_READ_ONLY, flags: 0 }],
          serializedSize: 4,
          getPropertyHandler: (request) => request.answerUlong(this.volume >>> 0),
          setPropertyHandler: (request) => {
            const value = viewOf(request.value()).getInt32(0, true);
            if (value > 0) throw new NtError(STATUS_INVALID_PARAMETER);
            this.volume = value;
            return STATUS_SUCCESS;
          },
        },
        {
          propertyId: TEST_READ_ONLY,
          minProperty: 32,
          minData: 4,
          getPropertyHandler: (request) => request.answerUlong(request.instanceUlong()),
        },
        {
          propertyId: TEST_WRITE_ONLY,
          minProperty: 24,
          minData: 4,
          setPropertyHandler: (request) => {
            this.writeOnly = viewOf(request.value()).getUint32(0, true);
            return undefined;
          },
        },
        {
          propertyId: TEST_TEXT,
          minProperty: 24,
          minData: 0,
          serializedSize: 1,
          getPropertyHandler: (request) => request.answerString(this.text),
          setPropertyHandler: (request) => {
            this.text = ks.decodeWideString(request.value());
            return STATUS_SUCCESS;
          },
        },
        {
          propertyId: TEST_RAW,
          minProperty: 24,
          minData: 0,
          getPropertyHandler: () => {
            throw new NtError(STATUS_NOT_IMPLEMENTED);
          },
          supportHandler: (request) => {
            if (request.verb === ks.KSPROPERTY_TYPE_SERIALIZERAW)
              return request.answer(new Uint8Array([1, 2, 3]));
            if (request.verb === ks.KSPROPERTY_TYPE_UNSERIALIZERAW) return STATUS_SUCCESS;
            return STATUS_NOT_FOUND;
          },
        },
      ],
    };
  }

  #nodeProperties(): ks.KsPropertyTable {
    return new ks.KsPropertyTable([
      {
        set: ks.KSPROPSETID_Audio,
        propertyItem: [
          {
            propertyId: ks.KSPROPERTY_AUDIO_VOLUMELEVEL,
            minProperty: 40,
            minData: 4,
            values: ks.boolValues(2),
            getPropertyHandler: (request) =>
              request.answerUlong(request.nodeId * 100 + request.instanceUlong()),
          },
        ],
      },
    ]);
  }

  #events(): ks.KsEventTable {
    return new ks.KsEventTable([
      {
        set: TEST_EVENTS,
        eventItem: [
          {
            eventId: 0,
            dataInput: 32,
            removeHandler: (_file, entry) => {
              this.removedEvents.push(entry.eventId);
            },
          },
          {
            eventId: 1,
            dataInput: 40,
            addHandler: (_irp, data, entry) => {
              const position = viewOf(data).getUint32(32, true);
              if (position === 0) return STATUS_INVALID_PARAMETER;
              entry.context = position;
              ks.ksAddEvent(this.eventsList, entry);
              return STATUS_SUCCESS;
            },
          },
        ],
      },
    ]);
  }

  #methods(): ks.KsMethodTable {
    return new ks.KsMethodTable([
      {
        set: TEST_METHODS,
        methodItem: [
          {
            methodId: 0,
            minMethod: 24,
            minData: 4,
            flags: ks.KSMETHOD_TYPE_MODIFY,
            methodHandler: (request) => {
              const data = request.room(4);
              data[0] = (data[0] ?? 0) + 1;
              return STATUS_SUCCESS;
            },
          },
          {
            methodId: TEST_ECHO,
            minMethod: 24,
            minData: 0,
            flags: ks.KSMETHOD_TYPE_NONE,
            methodHandler: ({ irp }) => {
              this.pending.push(irp);
              ioMarkIrpPending(irp);
              return STATUS_PENDING;
            },
          },
        ],
      },
    ]);
  }
}

function complete(irp: IRP): NTSTATUS {
  irp.ioStatus.status = STATUS_SUCCESS;
  irp.ioStatus.information = 0;
  ioCompleteRequest(irp);
  return STATUS_SUCCESS;
}
