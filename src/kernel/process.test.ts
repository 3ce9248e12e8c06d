import { describe, expect, it } from 'vitest';
import { BugcheckError } from './bugcheck.ts';
import {
  type DEVICE_OBJECT,
  DO_BUFFERED_IO,
  DO_DIRECT_IO,
  DO_EXCLUSIVE,
  type DRIVER_OBJECT,
  FILE_DEVICE_KS,
  FILE_OBJECT,
  IRP_MJ_CLEANUP,
  IRP_MJ_CLOSE,
  IRP_MJ_CREATE,
  IRP_MJ_DEVICE_CONTROL,
  IRP_MJ_READ,
  IRP_MJ_WRITE,
  ioCreateDevice,
  ioCreateSymbolicLink,
  ioDeleteDevice,
  ioDeleteSymbolicLink,
  irpMajorName,
} from './device.ts';
import { KEVENT, keSetEvent } from './event.ts';
import { ioGetDeviceObjectPointer } from './io-manager.ts';
import {
  CTL_CODE,
  METHOD_BUFFERED,
  METHOD_IN_DIRECT,
  METHOD_NEITHER,
  METHOD_OUT_DIRECT,
} from './io-stack-location.ts';
import { type IRP, ioCompleteRequest, ioGetCurrentIrpStackLocation, ioMarkIrpPending } from './irp.ts';
import { ioReleaseCancelSpinLock, ioSetCancelRoutine } from './irp-cancel.ts';
import { DISPATCH_LEVEL, keRaiseIrql } from './irql.ts';
import { Kernel } from './kernel.ts';
import { mmGetSystemAddressForMdlSafe } from './memory.ts';
import { NtError } from './nt-error.ts';
import {
  type NTSTATUS,
  ntStatusName,
  STATUS_ACCESS_DENIED,
  STATUS_BUFFER_OVERFLOW,
  STATUS_CANCELLED,
  STATUS_PENDING,
  STATUS_SUCCESS,
  STATUS_UNSUCCESSFUL,
} from './ntstatus.ts';
import { obDereferenceObject, obReferenceObject } from './object.ts';
import { UserProcess } from './process.ts';
import { TestPlatform } from './test-platform.ts';
import { exQueueWorkItem, WORK_QUEUE_ITEM } from './work-item.ts';

const control = (method: number) => CTL_CODE(FILE_DEVICE_KS, 1, method, 0);

type Handler = (irp: IRP, file: FILE_OBJECT) => NTSTATUS | null;

/** A machine with a device `\Device\test` (link `\??\Test`) whose requests a test answers; null is success. */
class Fixture {
  readonly kernel = new Kernel(new TestPlatform());
  readonly driver: DRIVER_OBJECT;
  readonly device: DEVICE_OBJECT;
  readonly process: UserProcess;
  readonly log: string[] = [];
  readonly handlers = new Map<number, Handler>();
  readonly queue: IRP[] = [];

  constructor(flags = 0) {
    this.driver = this.kernel.enter(() => this.kernel.io.createDriver('test'));
    for (const major of [
      IRP_MJ_CREATE,
      IRP_MJ_CLEANUP,
      IRP_MJ_CLOSE,
      IRP_MJ_DEVICE_CONTROL,
      IRP_MJ_READ,
      IRP_MJ_WRITE,
    ]) {
      this.driver.majorFunction[major] = (_device, irp) => this.#dispatch(irp);
    }
    this.device = this.kernel.enter(() => {
      const device = ioCreateDevice(
        this.driver,
        null,
        '\\Device\\test',
        FILE_DEVICE_KS,
        0,
        (flags & DO_EXCLUSIVE) !== 0,
      );
      device.flags |= flags;
      ioCreateSymbolicLink('\\DosDevices\\Test', '\\Device\\test');
      return device;
    });
    this.process = new UserProcess(this.kernel, 'player');
  }

  #dispatch(irp: IRP): NTSTATUS {
    const { majorFunction, fileObject } = ioGetCurrentIrpStackLocation(irp);
    if (fileObject === null) throw new Error('no file object');
    this.log.push(`${irpMajorName(majorFunction).slice(7)} '${fileObject.fileName}'`);
    const status = this.handlers.get(majorFunction)?.(irp, fileObject) ?? STATUS_SUCCESS;
    if (status === STATUS_PENDING) return STATUS_PENDING;
    irp.ioStatus.status = status;
    ioCompleteRequest(irp);
    return status;
  }

  /** Queues device controls and lets them be cancelled. */
  queueControls(): void {
    this.handlers.set(IRP_MJ_DEVICE_CONTROL, (irp) => {
      ioMarkIrpPending(irp);
      this.queue.push(irp);
      ioSetCancelRoutine(irp, (_device, victim) => {
        ioReleaseCancelSpinLock(victim.cancelIrql);
        this.queue.splice(this.queue.indexOf(victim), 1);
        victim.ioStatus.status = STATUS_CANCELLED;
        ioCompleteRequest(victim);
      });
      return STATUS_PENDING;
    });
  }

  finish(information: number): void {
    this.kernel.enter(() => {
      const irp = this.queue.shift();
      if (irp === undefined || ioSetCancelRoutine(irp, null) === null) throw new Error('nothing queued');
      irp.ioStatus.status = STATUS_SUCCESS;
      irp.ioStatus.information = information;
      ioCompleteRequest(irp);
    });
  }

  take(): string[] {
    return this.log.splice(0);
  }

  /** Takes the machine down and says what is left. */
  leaks(): string[] {
    this.process.terminate();
    this.kernel.runFor(0);
    this.kernel.enter(() => ioDeleteDevice(this.device));
    return this.kernel.leakReport().leaks.map((leak) => `${leak.kind} ${leak.name}`);
  }
}

function statusOf(fn: () => unknown): string {
  try {
    fn();
  } catch (error) {
    if (error instanceof NtError) return ntStatusName(error.status);
    throw error;
  }
  return 'none';
}

describe('opening and closing', () => {
  it('sends CREATE, then CLEANUP at the last handle and CLOSE at the last reference', () => {
    const f = new Fixture();
    const handle = f.process.createFile('\\\\.\\test\\Wave');
    expect(f.device.referenceCount).toBe(1);
    const second = f.process.duplicateHandle(handle);
    f.process.closeHandle(handle);
    expect(f.take()).toEqual(["CREATE '\\Wave'"]);
    const file = f.process.referenceObjectByHandle(second, FILE_OBJECT);
    f.process.closeHandle(second);
    expect(f.take()).toEqual(["CLEANUP '\\Wave'"]);
    f.kernel.enter(() => obDereferenceObject(file));
    expect(f.take()).toEqual(["CLOSE '\\Wave'"]);
    expect(f.device.referenceCount).toBe(0);
    expect(f.leaks()).toEqual([]);
  });

  it('takes names as applications and as drivers write them, in any case', () => {
    const f = new Fixture();
    for (const name of [
      '\\\\.\\TEST',
      '\\\\?\\test',
      '\\??\\Test',
      '\\DosDevices\\Test',
      '\\GLOBAL??\\Test',
      '\\Device\\Test',
    ]) {
      f.process.closeHandle(f.process.createFile(name));
    }
    expect(f.take().filter((line) => line === "CREATE ''").length).toBe(6);
  });

  it('opens relative to a file with the name as it is, binary data included', () => {
    const f = new Fixture();
    const filter = f.process.createFile('\\\\.\\test\\Wave');
    const name = '{146F1A80-4791-11D0-A5D6-28DB04C10000}\\\u0000\uffff\u0001';
    const files: FILE_OBJECT[] = [];
    f.handlers.set(IRP_MJ_CREATE, (_irp, file) => {
      files.push(file);
      return null;
    });
    const pin = f.process.createFile(name, filter);
    expect(files[0]?.fileName).toBe(name);
    expect(files[0]?.relatedFileObject?.fileName).toBe('\\Wave');
    // The filter's file lives as long as its pins.
    f.process.closeHandle(filter);
    expect(f.take().at(-1)).toBe("CLEANUP '\\Wave'");
    f.process.closeHandle(pin);
    expect(f.take().slice(-2)).toEqual([`CLOSE '${name}'`, "CLOSE '\\Wave'"]);
    expect(f.leaks()).toEqual([]);
  });

  it('fails with the driver’s status, and then sends neither CLEANUP nor CLOSE', () => {
    const f = new Fixture();
    f.handlers.set(IRP_MJ_CREATE, () => STATUS_ACCESS_DENIED);
    expect(statusOf(() => f.process.createFile('\\\\.\\test'))).toBe('STATUS_ACCESS_DENIED');
    expect(f.take()).toEqual(["CREATE ''"]);
    expect(f.process.handleCount).toBe(0);
    expect(f.leaks()).toEqual([]);
  });

  it('waits for a CREATE that the driver pends', () => {
    const f = new Fixture();
    f.handlers.set(IRP_MJ_CREATE, (irp) => {
      ioMarkIrpPending(irp);
      exQueueWorkItem(
        new WORK_QUEUE_ITEM(() => {
          irp.ioStatus.status = STATUS_SUCCESS;
          ioCompleteRequest(irp);
        }, 'create'),
      );
      return STATUS_PENDING;
    });
    f.process.closeHandle(f.process.createFile('\\\\.\\test'));
    expect(f.leaks()).toEqual([]);
  });

  it('answers names that lead nowhere', () => {
    const f = new Fixture();
    expect(statusOf(() => f.process.createFile('\\\\.\\none'))).toBe('STATUS_OBJECT_NAME_NOT_FOUND');
    expect(statusOf(() => f.process.createFile('test'))).toBe('STATUS_OBJECT_PATH_SYNTAX_BAD');
    expect(statusOf(() => f.process.createFile(''))).toBe('STATUS_OBJECT_NAME_INVALID');
    expect(statusOf(() => f.process.closeHandle(4))).toBe('STATUS_INVALID_HANDLE');
    expect(statusOf(() => f.process.deviceIoControl(0, 0, null, null))).toBe('STATUS_INVALID_HANDLE');
    f.kernel.enter(() => {
      expect(statusOf(() => ioCreateSymbolicLink('\\??\\TEST', '\\Device\\x'))).toBe(
        'STATUS_OBJECT_NAME_COLLISION',
      );
      expect(statusOf(() => ioCreateDevice(f.driver, null, '\\device\\TEST', 0))).toBe(
        'STATUS_OBJECT_NAME_COLLISION',
      );
      ioDeleteSymbolicLink('\\??\\Test');
      expect(statusOf(() => ioDeleteSymbolicLink('\\??\\Test'))).toBe('STATUS_OBJECT_NAME_NOT_FOUND');
    });
    expect(statusOf(() => f.process.createFile('\\\\.\\test'))).toBe('STATUS_OBJECT_NAME_NOT_FOUND');
  });

  it('lets one in at a time when the device is exclusive', () => {
    const f = new Fixture(DO_EXCLUSIVE);
    const handle = f.process.createFile('\\\\.\\test');
    expect(statusOf(() => f.process.createFile('\\\\.\\test'))).toBe('STATUS_ACCESS_DENIED');
    f.process.closeHandle(handle);
    f.process.createFile('\\\\.\\test');
  });

  it('works for drivers with IoGetDeviceObjectPointer', () => {
    const f = new Fixture();
    f.kernel.enter(() => {
      const { fileObject, deviceObject } = ioGetDeviceObjectPointer('\\Device\\test');
      expect(deviceObject).toBe(f.device);
      obDereferenceObject(fileObject);
    });
    expect(f.take()).toEqual(["CREATE ''", "CLEANUP ''", "CLOSE ''"]);
  });

  it('is for PASSIVE_LEVEL', () => {
    const f = new Fixture();
    f.kernel.enter(() => {
      keRaiseIrql(DISPATCH_LEVEL);
      expect(() => f.process.createFile('\\\\.\\test')).toThrow(BugcheckError);
    });
  });
});

describe('device controls', () => {
  it('METHOD_NEITHER hands over the caller’s own arrays', () => {
    const f = new Fixture();
    const handle = f.process.createFile('\\\\.\\test');
    const input = Uint8Array.of(1, 2);
    const output = new Uint8Array(4);
    f.handlers.set(IRP_MJ_DEVICE_CONTROL, (irp) => {
      const { parameters } = ioGetCurrentIrpStackLocation(irp);
      expect(parameters.type3InputBuffer).toBe(input);
      expect(irp.userBuffer).toBe(output);
      expect(irp.inputBuffer).toBe(input);
      expect(irp.outputBuffer).toBe(output);
      expect([parameters.inputBufferLength, parameters.outputBufferLength]).toEqual([2, 4]);
      expect(irp.requestor).toBe(f.process);
      irp.userBuffer?.set([5, 6]);
      irp.ioStatus.information = 2;
      return null;
    });
    expect(f.process.deviceIoControl(handle, control(METHOD_NEITHER), input, output)).toEqual({
      status: STATUS_SUCCESS,
      information: 2,
    });
    expect([...output]).toEqual([5, 6, 0, 0]);
  });

  it('METHOD_BUFFERED copies in, and out what the driver returned unless it failed', () => {
    const f = new Fixture();
    const handle = f.process.createFile('\\\\.\\test');
    for (const [status, expected] of [
      [STATUS_SUCCESS, [9, 9, 9, 0]],
      [STATUS_BUFFER_OVERFLOW, [9, 9, 9, 0]],
      [STATUS_UNSUCCESSFUL, [0, 0, 0, 0]],
    ] as const) {
      f.handlers.set(IRP_MJ_DEVICE_CONTROL, (irp) => {
        expect([...(irp.systemBuffer ?? [])]).toEqual([1, 2, 0, 0]);
        expect([...(irp.inputBuffer ?? [])]).toEqual([1, 2]);
        irp.outputBuffer?.fill(9);
        irp.ioStatus.information = 3;
        return status;
      });
      const input = Uint8Array.of(1, 2);
      const output = new Uint8Array(4);
      expect(f.process.deviceIoControl(handle, control(METHOD_BUFFERED), input, output).status).toBe(status);
      expect([...output]).toEqual(expected);
      expect([...input]).toEqual([1, 2]);
    }
  });

  it.each([METHOD_IN_DIRECT, METHOD_OUT_DIRECT])(
    'direct I/O (method %i) describes the output by an MDL',
    (method) => {
      const f = new Fixture();
      const handle = f.process.createFile('\\\\.\\test');
      const free = f.kernel.memory.freePageCount;
      f.handlers.set(IRP_MJ_DEVICE_CONTROL, (irp) => {
        const { mdlAddress } = irp;
        if (mdlAddress === null) throw new Error('no MDL');
        expect([...(irp.inputBuffer ?? [])]).toEqual([1]);
        expect(mdlAddress.byteCount).toBe(5000);
        const mapping = mmGetSystemAddressForMdlSafe(mdlAddress);
        expect(mapping.readUchar(4999)).toBe(7);
        mapping.writeUchar(4999, 8);
        irp.ioStatus.information = 5000;
        return null;
      });
      const output = new Uint8Array(5000);
      output[4999] = 7;
      f.process.deviceIoControl(handle, control(method), Uint8Array.of(1), output);
      expect(output[4999]).toBe(8);
      expect(f.kernel.memory.freePageCount).toBe(free);
      expect(f.leaks()).toEqual([]);
    },
  );

  it('wait while the machine runs until the driver completes them', () => {
    const f = new Fixture();
    f.queueControls();
    const handle = f.process.createFile('\\\\.\\test');
    const alarm = f.kernel.clock.createAlarm(() => {
      // As from a DPC of the card's interrupt.
      expect(f.process.pendingRequestCount).toBe(1);
      f.finish(3);
    });
    alarm.set(500);
    expect(f.process.deviceIoControl(handle, control(METHOD_NEITHER), null, null)).toEqual({
      status: STATUS_SUCCESS,
      information: 3,
    });
    expect(f.kernel.clock.now).toBe(500);
    expect(f.process.pendingRequestCount).toBe(0);
  });

  it('complete as continuations when they are asynchronous, also at once', () => {
    const f = new Fixture();
    const handle = f.process.createFile('\\\\.\\test');
    const done: string[] = [];
    const send = (name: string) =>
      f.process.deviceIoControlAsync(handle, control(METHOD_NEITHER), null, null, (status, information) =>
        done.push(`${name} ${ntStatusName(status)} ${information}`),
      );
    send('at once');
    f.queueControls();
    send('first');
    send('second');
    expect(done).toEqual([]);
    f.kernel.runFor(0);
    expect(done).toEqual(['at once STATUS_SUCCESS 0']);
    f.finish(1);
    f.finish(2);
    f.kernel.runFor(0);
    expect(done.slice(1)).toEqual(['first STATUS_SUCCESS 1', 'second STATUS_SUCCESS 2']);
    expect(f.leaks()).toEqual([]);
  });

  it('can be cancelled, and cancelling too late does nothing', () => {
    const f = new Fixture();
    f.queueControls();
    const handle = f.process.createFile('\\\\.\\test');
    const done: string[] = [];
    const request = f.process.deviceIoControlAsync(handle, control(METHOD_NEITHER), null, null, (status) =>
      done.push(ntStatusName(status)),
    );
    request.cancel();
    request.cancel();
    f.kernel.runFor(0);
    request.cancel();
    expect(done).toEqual(['STATUS_CANCELLED']);
    expect(f.queue).toEqual([]);
    expect(f.leaks()).toEqual([]);
  });
});

describe('reading and writing', () => {
  it.each([
    ['neither', 0],
    ['buffered', DO_BUFFERED_IO],
    ['direct', DO_DIRECT_IO],
  ])('%s', (_name, flags) => {
    const f = new Fixture(flags);
    const handle = f.process.createFile('\\\\.\\test');
    const bytesOf = (irp: IRP): Uint8Array => {
      if (flags === DO_BUFFERED_IO) return irp.systemBuffer ?? new Uint8Array();
      if (flags === 0) return irp.userBuffer ?? new Uint8Array();
      if (irp.mdlAddress === null) throw new Error('no MDL');
      return (
        mmGetSystemAddressForMdlSafe(irp.mdlAddress).view(0, irp.mdlAddress.byteCount) ?? new Uint8Array()
      );
    };
    const written: number[] = [];
    f.handlers.set(IRP_MJ_WRITE, (irp) => {
      expect(ioGetCurrentIrpStackLocation(irp).parameters).toMatchObject({ length: 3, byteOffset: 16 });
      written.push(...bytesOf(irp));
      irp.ioStatus.information = 3;
      return null;
    });
    f.handlers.set(IRP_MJ_READ, (irp) => {
      bytesOf(irp).set([4, 5]);
      irp.ioStatus.information = 2;
      return null;
    });
    expect(f.process.writeFile(handle, Uint8Array.of(1, 2, 3), 16).information).toBe(3);
    expect(written).toEqual([1, 2, 3]);
    const into = new Uint8Array(4);
    expect(f.process.readFile(handle, into).information).toBe(2);
    expect([...into]).toEqual([4, 5, 0, 0]);
    expect(f.leaks()).toEqual([]);
  });
});

describe('events', () => {
  it('wake an application through a driver that referenced them', () => {
    const f = new Fixture();
    const { process, kernel } = f;
    const handle = process.createEvent('SynchronizationEvent');
    const event = process.referenceObjectByHandle(handle, KEVENT);
    let wakes = 0;
    const wait = process.whenSignaled(handle, () => {
      wakes++;
    });
    kernel.enter(() => keSetEvent(event));
    expect(wakes).toBe(0);
    kernel.runFor(0);
    expect(wakes).toBe(1);
    expect(process.isSignaled(handle)).toBe(false);
    process.setEvent(handle);
    kernel.runFor(0);
    expect(wakes).toBe(1);
    wait.arm();
    kernel.runFor(0);
    expect(wakes).toBe(2);
    wait.arm();
    wait.cancel();
    process.setEvent(handle);
    kernel.runFor(0);
    expect(wakes).toBe(2);
    process.resetEvent(handle);
    expect(process.isSignaled(handle)).toBe(false);
    kernel.enter(() => obDereferenceObject(event));
    expect(f.leaks()).toEqual([]);
  });

  it('are told from files', () => {
    const f = new Fixture();
    const file = f.process.createFile('\\\\.\\test');
    const event = f.process.createEvent();
    expect(statusOf(() => f.process.setEvent(file))).toBe('STATUS_OBJECT_TYPE_MISMATCH');
    expect(statusOf(() => f.process.deviceIoControl(event, 0, null, null))).toBe(
      'STATUS_OBJECT_TYPE_MISMATCH',
    );
    expect(statusOf(() => f.process.createFile('x', event))).toBe('STATUS_OBJECT_TYPE_MISMATCH');
    expect(statusOf(() => f.process.referenceObjectByHandle(file, KEVENT))).toBe(
      'STATUS_OBJECT_TYPE_MISMATCH',
    );
  });
});

describe('the end of a process', () => {
  it('cancels its requests and closes its handles, newest first', () => {
    const f = new Fixture();
    f.queueControls();
    const filter = f.process.createFile('\\\\.\\test\\Wave');
    const pin = f.process.createFile('pin', filter);
    let completed = false;
    f.process.deviceIoControlAsync(pin, control(METHOD_NEITHER), null, null, () => {
      completed = true;
    });
    f.take();
    f.process.terminate();
    f.kernel.runFor(0);
    expect(f.queue).toEqual([]);
    expect(completed).toBe(false);
    expect(f.take()).toEqual(["CLEANUP 'pin'", "CLEANUP '\\Wave'", "CLOSE 'pin'", "CLOSE '\\Wave'"]);
    expect(f.process.isTerminated).toBe(true);
    expect(f.leaks()).toEqual([]);
  });

  it('finds requests that a driver does not give back', () => {
    const f = new Fixture();
    f.handlers.set(IRP_MJ_DEVICE_CONTROL, (irp) => {
      ioMarkIrpPending(irp);
      f.queue.push(irp);
      return STATUS_PENDING;
    });
    const handle = f.process.createFile('\\\\.\\test');
    f.process.deviceIoControlAsync(handle, control(METHOD_NEITHER), null, null, () => undefined);
    f.process.terminate();
    expect(f.kernel.trace.findings.map((finding) => finding.text)).toEqual([
      'A driver still holds a request of a process that has ended.',
    ]);
    expect(f.kernel.leakReport().leaks.map((leak) => leak.kind)).toContain('FILE_OBJECT');
  });

  it('keeps what a driver has referenced', () => {
    const f = new Fixture();
    const files: FILE_OBJECT[] = [];
    f.handlers.set(IRP_MJ_CREATE, (_irp, file) => {
      files.push(file);
      obReferenceObject(file);
      return null;
    });
    f.process.createFile('\\\\.\\test');
    f.process.terminate();
    expect(f.take()).toEqual(["CREATE ''", "CLEANUP ''"]);
    f.kernel.enter(() => files.forEach(obDereferenceObject));
    expect(f.take()).toEqual(["CLOSE ''"]);
  });
});
