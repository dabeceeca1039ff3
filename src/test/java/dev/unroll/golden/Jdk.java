package dev.unroll.golden;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A Java virtual machine to run a program of the tests with.
 *
 * @param version as its {@code release} file says
 * @param command what starts it: the path of {@code java}, perhaps with an emulator before it
 */
record Jdk(String version, List<String> command) {
  private static final Pattern VERSION = Pattern.compile("JAVA_VERSION=\"((\\d+)[^\"]*)\"");
  private static final int OLDEST = 17;

  /** This one, then others that the environment names or that lie where Linux distributions put them. */
  static List<Jdk> installed() throws IOException {
    List<Path> homes = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"))));
    System.getenv()
        .forEach(
            (name, value) -> {
              if (name.startsWith("JAVA_HOME") && !value.isBlank()) {
                homes.add(Path.of(value));
              }
            });
    Path usual = Path.of("/usr/lib/jvm");
    if (Files.isDirectory(usual)) {
      try (Stream<Path> folders = Files.list(usual)) {
        folders.sorted().forEach(homes::add);
      }
    }
    Map<Path, Jdk> jdks = new LinkedHashMap<>();
    for (Path home : homes) {
      Path java = home.resolve("bin/java");
      Path release = home.resolve("release");
      if (Files.isExecutable(java) && Files.isReadable(release)) {
        Matcher version = VERSION.matcher(Files.readString(release));
        if (version.find() && Integer.parseInt(version.group(2)) >= OLDEST) {
          jdks.putIfAbsent(java.toRealPath(), new Jdk(version.group(1), List.of(java.toString())));
        }
      }
    }
    return List.copyOf(jdks.values());
  }

  /** Runs a main class of the tests with options and arguments, and returns what it printed, line by line. */
  List<String> run(List<String> options, Class<?> main, String... arguments) throws IOException, InterruptedException {
    List<String> line = new ArrayList<>(command);
    line.addAll(options);
    line.addAll(List.of("-classpath", System.getProperty("java.class.path"), main.getName()));
    line.addAll(List.of(arguments));
    Path errors = Files.createTempFile("unroll-test", ".txt");
    try {
      Process process = new ProcessBuilder(line).redirectError(errors.toFile()).start();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (process.waitFor() != 0) {
        String what = String.join(" ", line) + " ended with " + process.exitValue();
        throw new IllegalStateException(what + ": " + output + Files.readString(errors));
      }
      return output.lines().toList();
    } finally {
      Files.delete(errors);
    }
  }
}
