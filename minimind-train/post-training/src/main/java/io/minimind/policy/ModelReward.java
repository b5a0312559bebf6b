package io.minimind.policy;

import io.minimind.chat.Message;
import io.minimind.files.ArgumentException;
import io.minimind.files.InputException;
import io.minimind.preference.RewardModel;
import io.minimind.task.FrozenModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a {@link RewardModel} says of answers. It is opened when it is first asked.
 *
 * <p>A run keeps it as {@code model:FOLDER#DIGEST}, so that it notices when the folder holds
 * another one.
 */
final class ModelReward implements Reward {

  private static final Pattern PINNED = Pattern.compile("(.*)#([0-9a-f]{16})");

  private final Path folder;
  private final String digest;
  private final int threads;
  private RewardModel model; // null until it is asked

  /**
   * @param given the folder, and behind it the beginning of its digest if it is to be that model
   */
  ModelReward(String given, int threads) {
    if (given.isBlank()) {
      throw new ArgumentException(
          "A reward model is named by its folder, such as \"model:out/reward\".");
    }
    Matcher pinned = PINNED.matcher(given);
    boolean isPinned = pinned.matches();
    this.folder = Path.of(isPinned ? pinned.group(1) : given);
    this.digest = isPinned ? pinned.group(2) : "";
    this.threads = threads;
  }

  /**
   * The name by which a run of a policy keeps it.
   *
   * @throws IOException if the folder holds no reward model, or one with other tokens than the
   *     policy's
   */
  String pinned(Path policy) throws IOException {
    RewardModel.config(folder);
    FrozenModel frozen = FrozenModel.of(folder);
    frozen.requireTokensOf(policy, "reward model");
    return "model:%s#%s".formatted(frozen.folder(), frozen.shortDigest());
  }

  @Override
  public double of(Answer answer) throws IOException {
    return of(List.of(answer))[0];
  }

  @Override
  public double[] of(List<Answer> answers) throws IOException {
    if (model == null) {
      if (!digest.isEmpty() && !FrozenModel.of(folder).shortDigest().equals(digest)) {
        throw new InputException(
            "%s no longer holds the reward model that the run began with: restore it, or start a new run."
                .formatted(folder));
      }
      model = RewardModel.open(folder, threads);
    }
    List<List<Message>> prompts = new ArrayList<>();
    List<String> texts = new ArrayList<>();
    for (Answer answer : answers) {
      prompts.add(answer.prompt());
      texts.add(answer.text());
    }
    return model.scores(prompts, texts);
  }

  @Override
  public void close() {
    if (model != null) {
      model.close();
      model = null;
    }
  }
}
