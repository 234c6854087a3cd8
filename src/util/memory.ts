/** From this size on, glibc asks the kernel for a block of its own and gives it back once it is free. */
const KERNEL_BYTES = 128 * 1024;

/** Just below the largest block that glibc learns from. */
const LESSON_BYTES = 31 * 1024 * 1024;

let taught = process.platform !== "linux";

/** Uninitialized memory that shares no pool. */
export function allocate(size: number): Buffer {
  if (size >= KERNEL_BYTES && !taught) teach();
  return Buffer.allocUnsafeSlow(size);
}

/**
 * Memory that is fresh from the kernel costs more to touch for the first time than a value
 * costs to read. Once a larger block has come and gone, glibc keeps free memory of up to twice
 * that block's size instead of giving it back (mallopt(3), `M_MMAP_THRESHOLD`): so one does, of
 * which nothing is ever touched. Other C libraries take no notice.
 */
function teach(): void {
  taught = true;
  Buffer.allocUnsafeSlow(LESSON_BYTES); // it goes with the next collection of garbage
}
