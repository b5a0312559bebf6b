package io.minimind.distributed;

import io.minimind.files.ArgumentException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * Which of the processes that train together this one is, and where the first of them is found.
 *
 * @param rank from 0
 * @param size how many there are, 1 to 4,096
 * @param first where the process of rank 0 listens; its name need not be resolved yet
 * @param oneMachine whether all of them are on one machine: then none listens to the network
 * @param wire how gradients travel between them
 * @param timeouts how long they wait for each other
 */
public record Membership(
    int rank, int size, InetSocketAddress first, boolean oneMachine, Wire wire, Timeouts timeouts) {

  private static final int MOST = 4096;

  private static final String RANK = "RANK";
  private static final String SIZE = "WORLD_SIZE";
  private static final String HOST = "MASTER_ADDR";
  private static final String PORT = "MASTER_PORT";
  private static final String WIRE = "MINIMIND_WIRE";
  private static final String LOCAL_SIZE = "LOCAL_WORLD_SIZE";

  /**
   * How long processes wait for each other.
   *
   * @param joining until all must have come
   * @param silence after which a process counts as lost. Each gives a sign of life every second or
   *     more often, whatever it is doing, so this need not be longer than the work between two
   *     steps
   */
  public record Timeouts(Duration joining, Duration silence) {

    /** Ten minutes to come, one of silence. */
    public static final Timeouts DEFAULT =
        new Timeouts(Duration.ofMinutes(10), Duration.ofMinutes(1));

    static Timeouts of(Map<String, String> environment) {
      return new Timeouts(
          seconds(environment, "MINIMIND_JOIN_TIMEOUT", DEFAULT.joining),
          seconds(environment, "MINIMIND_SILENCE_TIMEOUT", DEFAULT.silence));
    }

    private static Duration seconds(
        Map<String, String> environment, String name, Duration otherwise) {
      int most = Math.toIntExact(Duration.ofDays(7).toSeconds());
      return environment.containsKey(name)
          ? Duration.ofSeconds(number(environment, name, 1, most))
          : otherwise;
    }
  }

  public Membership {
    if (size < 1 || size > MOST || rank < 0 || rank >= size) {
      throw new ArgumentException(
          "There is no process %d of %d: ranks count from 0, and there can be %d at most."
              .formatted(rank, size, MOST));
    }
  }

  /**
   * What torchrun, Kubeflow or a script of Slurm tell a process: {@code MASTER_ADDR}, {@code
   * MASTER_PORT}, {@code RANK} and {@code WORLD_SIZE}. If {@code LOCAL_WORLD_SIZE} is there and as
   * large as {@code WORLD_SIZE}, all processes are on one machine. {@code MINIMIND_JOIN_TIMEOUT}
   * and {@code MINIMIND_SILENCE_TIMEOUT}, in seconds, change the {@link Timeouts}.
   *
   * @return nothing without {@code WORLD_SIZE} or if it is 1: the process trains alone
   * @throws IllegalArgumentException if a variable is missing or cannot be
   */
  public static Optional<Membership> of(Map<String, String> environment) {
    if (environment.getOrDefault(SIZE, "").isBlank()) {
      return Optional.empty();
    }
    int size = number(environment, SIZE, 1, MOST);
    if (size == 1) {
      return Optional.empty();
    }
    if (environment.getOrDefault("TORCHELASTIC_USE_AGENT_STORE", "").equals("True")) {
      throw new ArgumentException(
          "torchrun listens at MASTER_PORT itself: start it with"
              + " TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1 in its environment.");
    }
    return Optional.of(
        new Membership(
            number(environment, RANK, 0, size - 1),
            size,
            InetSocketAddress.createUnresolved(
                required(environment, HOST), number(environment, PORT, 1, 65_535)),
            environment.getOrDefault(LOCAL_SIZE, "").equals(Integer.toString(size)),
            wire(environment),
            Timeouts.of(environment)));
  }

  private static Wire wire(Map<String, String> environment) {
    String name = environment.getOrDefault(WIRE, Wire.FLOAT32.name()).strip();
    for (Wire wire : Wire.values()) {
      if (wire.name().equalsIgnoreCase(name)) {
        return wire;
      }
    }
    throw new ArgumentException(
        "%s must be float32 or bfloat16, but is '%s'.".formatted(WIRE, name));
  }

  /**
   * How many of the processes are on this machine, as {@code LOCAL_WORLD_SIZE} says; 1 if it says
   * nothing that could be.
   */
  public static int processesHere() {
    try {
      String count = System.getenv().getOrDefault(LOCAL_SIZE, "1");
      return Math.max(1, Integer.parseInt(count.strip()));
    } catch (NumberFormatException e) {
      return 1;
    }
  }

  private static String required(Map<String, String> environment, String name) {
    String value = environment.getOrDefault(name, "").strip();
    if (value.isEmpty()) {
      throw new ArgumentException(
          "WORLD_SIZE says that several processes train together, but %s is not set: each needs %s, %s, %s and %s."
              .formatted(name, HOST, PORT, RANK, SIZE));
    }
    return value;
  }

  private static int number(Map<String, String> environment, String name, int least, int most) {
    String value = required(environment, name);
    try {
      int number = Integer.parseInt(value);
      if (number >= least && number <= most) {
        return number;
      }
    } catch (NumberFormatException e) {
      // Said below.
    }
    throw new ArgumentException(
        "%s must be a number from %d to %d, but is '%s'.".formatted(name, least, most, value));
  }
}
