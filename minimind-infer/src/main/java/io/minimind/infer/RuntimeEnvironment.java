package io.minimind.infer;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import io.minimind.files.AtomicFile;
import io.minimind.files.Quoted;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The environment of ONNX Runtime, of which a process has one.
 *
 * <p>From 1.29 on the runtime reports to its maker on Linux and macOS: as soon as its environment
 * exists it writes a device's number and a database under the user's cache and looks up a host for
 * them, and what the Java interface has to switch that off comes too late. Only the environment
 * variable {@code ORT_DISABLE_TELEMETRY} prevents it, and Java cannot set one for its own process.
 * So such a runtime is not started unless the variable is set. On Windows events go to the system,
 * and are switched off as soon as there is an environment.
 */
final class RuntimeEnvironment {
  /** What decides whether a runtime of 1.29 or later reports; to any value, as we only ask. */
  static final String SWITCH = "ORT_DISABLE_TELEMETRY";

  private static final int FIRST_MINOR_THAT_REPORTS = 29;
  private static final Pattern VERSION = Pattern.compile("(\\d{1,6})\\.(\\d{1,6})\\b.*");

  private RuntimeEnvironment() {}

  /** Its end says why not, if need be; Java never tries a library again that failed to load. */
  private static CompletableFuture<OrtEnvironment> started; // null at first; guarded by the class

  /** Reads a part of a model. */
  interface Reading<T> {
    T read() throws IOException;
  }

  /**
   * Reads while the runtime starts on a thread of its own, which takes about as long. Whether that
   * fails, {@link #start} says.
   */
  static <T> T startBeside(Reading<T> reading) throws IOException {
    CompletableFuture<OrtEnvironment> starting = starting();
    try {
      return reading.read();
    } finally {
      // A caller who ends the process must not do so amid the loading of a library.
      starting.handle((environment, failure) -> environment).join();
    }
  }

  /**
   * Starts the runtime, if that was not done.
   *
   * @throws IOException if its native library cannot be loaded, or would report to its maker
   */
  static OrtEnvironment start() throws IOException {
    try {
      return starting().join();
    } catch (CompletionException e) {
      throw new IOException(e.getCause().getMessage(), e.getCause());
    }
  }

  private static synchronized CompletableFuture<OrtEnvironment> starting() {
    if (started == null) {
      CompletableFuture<OrtEnvironment> starting = new CompletableFuture<>();
      Thread thread =
          new Thread(
              () -> {
                try {
                  starting.complete(create());
                } catch (IOException | RuntimeException | Error e) {
                  starting.completeExceptionally(e);
                }
              },
              "minimind-start");
      thread.setDaemon(true);
      thread.start();
      started = starting;
    }
    return started;
  }

  private static OrtEnvironment create() throws IOException {
    checkSilent(
        OrtEnvironment.class.getPackage().getImplementationVersion(),
        System.getProperty("os.name", ""),
        System.getenv(SWITCH));
    OrtEnvironment environment;
    try {
      environment = OrtEnvironment.getEnvironment();
      environment.setTelemetry(false);
    } catch (OrtException | RuntimeException | LinkageError e) {
      throw new IOException(
          "ONNX Runtime's native library cannot be loaded: %s. It is unpacked into the folder that the system property java.io.tmpdir names, %s; start Java with one that exists, can be written to, has some 50 MB free and may hold programs."
              .formatted(reason(e), System.getProperty("java.io.tmpdir")),
          e);
    }
    // A jar that was put together from several has no version of its own.
    checkSilent(environment.getVersion(), System.getProperty("os.name", ""), System.getenv(SWITCH));
    return environment;
  }

  /** The environment, where a model was loaded already. */
  static OrtEnvironment get() {
    return OrtEnvironment.getEnvironment();
  }

  /**
   * @param version of the runtime, null if it is not known
   */
  static void checkSilent(String version, String system, String setting) throws IOException {
    Matcher matcher = VERSION.matcher(version == null ? "" : version);
    boolean reports =
        !system.startsWith("Windows")
            && matcher.matches()
            && (Integer.parseInt(matcher.group(1)) > 1
                || Integer.parseInt(matcher.group(2)) >= FIRST_MINOR_THAT_REPORTS);
    if (reports && setting == null) {
      throw new IOException(
          "ONNX Runtime %s on the class path reports to its maker over the network, which Java cannot switch off; set the environment variable %s to 1 before Java starts, or use the version that minimind-infer depends on."
              .formatted(version, SWITCH));
    }
  }

  /** What is at the bottom of a failure to load a library. */
  private static String reason(Throwable failure) {
    Throwable cause = failure;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    String reason =
        cause instanceof Exception exception ? AtomicFile.reason(exception) : cause.getMessage();
    return reason == null ? cause.toString() : Quoted.line(reason);
  }
}
