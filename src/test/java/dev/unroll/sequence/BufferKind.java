package dev.unroll.sequence;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Kinds of buffers that callers may have. */
enum BufferKind {
  HEAP {
    @Override
    FloatBuffer allocate(int size) {
      return FloatBuffer.allocate(size);
    }
  },
  HEAP_MIDDLE {
    @Override
    FloatBuffer allocate(int size) {
      return FloatBuffer.allocate(size + 5).position(2).slice().position(1).limit(size + 1);
    }
  },
  HEAP_BYTES {
    @Override
    FloatBuffer allocate(int size) {
      return ByteBuffer.allocate(4 * size).asFloatBuffer();
    }
  },
  DIRECT {
    @Override
    FloatBuffer allocate(int size) {
      return direct(size, 0).asFloatBuffer();
    }
  },
  DIRECT_MIDDLE {
    @Override
    FloatBuffer allocate(int size) {
      ByteBuffer bytes = direct(size + 5, 0).position(8).slice().order(ByteOrder.nativeOrder()).duplicate();
      FloatBuffer floats = bytes.order(ByteOrder.nativeOrder()).asFloatBuffer().position(1).slice().duplicate();
      return floats.position(1).limit(size + 1);
    }
  },
  DIRECT_SWAPPED {
    @Override
    FloatBuffer allocate(int size) {
      boolean little = ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN;
      return direct(size, 0).order(little ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
    }
  },
  DIRECT_MISALIGNED {
    @Override
    FloatBuffer allocate(int size) {
      return direct(size, 1).position(1).slice().order(ByteOrder.nativeOrder()).asFloatBuffer();
    }
  },
  MAPPED {
    @Override
    FloatBuffer allocate(int size) {
      try {
        Path file = Files.createTempFile("unroll", "floats");
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
          ByteBuffer bytes = channel.map(FileChannel.MapMode.READ_WRITE, 0, 4L * size);
          return bytes.order(ByteOrder.nativeOrder()).asFloatBuffer();
        } finally {
          Files.delete(file);
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  };

  abstract FloatBuffer allocate(int size);

  /** A buffer that can be written, from its position to its limit. */
  FloatBuffer holding(float[] values) {
    FloatBuffer buffer = allocate(values.length);
    buffer.duplicate().put(values);
    return buffer;
  }

  private static ByteBuffer direct(int floats, int extraBytes) {
    return ByteBuffer.allocateDirect(4 * floats + extraBytes).order(ByteOrder.nativeOrder());
  }

  /** What is between position and limit. */
  static float[] content(FloatBuffer buffer) {
    float[] values = new float[buffer.remaining()];
    buffer.duplicate().get(values);
    return values;
  }
}
