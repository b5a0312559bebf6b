package io.minimind.examples;

import io.minimind.files.InputException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;

/** How fast answers come, to one who asks or to several at once. */
final class ServingSpeed {
  static final String HEADER =
      "%-19s %18s %24s %24s"
          .formatted("", "first token", "tokens/s of an answer", "tokens/s of all");

  /** Milliseconds in which threads that wait busily since the turn before give up. */
  private static final int PAUSE = 50;

  private final String name;
  private final int clients;
  private final Asking asking;
  private final List<Double> first = new ArrayList<>();
  private final List<Double> rates = new ArrayList<>();
  private final List<Double> totals = new ArrayList<>();

  /** Asks something that nobody asked before, and waits for the answer. */
  interface Asking {
    Answered ask(int seed) throws IOException;
  }

  /**
   * An answer.
   *
   * @param tokens how many it had
   * @param firstToken seconds until the first of them
   * @param rest seconds from the first to the last
   */
  record Answered(int tokens, double firstToken, double rest) {
    double rate() {
      return (tokens - 1) / rest;
    }
  }

  ServingSpeed(String name, int clients, Asking asking) {
    this.name = name;
    this.clients = clients;
    this.asking = asking;
  }

  /**
   * Asks once for each client.
   *
   * @param round negative ones warm up and do not count
   */
  void measure(int round) throws IOException, InterruptedException {
    Thread.sleep(PAUSE);
    ExecutorService threads = Executors.newFixedThreadPool(clients);
    try {
      long start = System.nanoTime();
      List<Future<Answered>> asked =
          IntStream.range(0, clients)
              .map(client -> (round << 10) + client)
              .mapToObj(seed -> threads.submit(() -> asking.ask(seed)))
              .toList();
      List<Answered> answers = new ArrayList<>();
      for (Future<Answered> answer : asked) {
        answers.add(answer.get());
      }
      double seconds = (System.nanoTime() - start) / 1e9;
      if (round >= 0) {
        answers.forEach(answer -> first.add(answer.firstToken()));
        answers.forEach(answer -> rates.add(answer.rate()));
        totals.add(answers.stream().mapToInt(Answered::tokens).sum() / seconds);
      }
    } catch (ExecutionException e) {
      throw new InputException("An answer failed: " + e.getCause().getMessage(), e);
    } finally {
      threads.shutdownNow();
    }
  }

  private static double median(List<Double> values) {
    return values.stream().sorted().skip(values.size() / 2).findFirst().orElseThrow();
  }

  /** A row of the table, with what it is times the row of another. */
  String against(ServingSpeed other) {
    return String.format(
        Locale.ROOT,
        "%-19s %9.2f ms (%4.2f) %16.1f (%5.2f) %16.1f (%5.2f)",
        name,
        1e3 * median(first),
        median(first) / median(other.first),
        median(rates),
        median(rates) / median(other.rates),
        median(totals),
        median(totals) / median(other.totals));
  }
}
