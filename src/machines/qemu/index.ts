/** The machine whose cards are QEMU's: registers by qtest, RAM by a shared file, real time. Needs Node and QEMU. */
export { QEMU_AUDIO_ID, type QemuAudio } from './qemu-audio.ts';
export { QemuError } from './qemu-error.ts';
export { QemuMachine, type QemuMachineOptions } from './qemu-machine.ts';
export { QemuPlatform } from './qemu-platform.ts';
export { findQemu } from './qemu-process.ts';
