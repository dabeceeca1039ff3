package dev.unroll.cli;

import dev.unroll.Unroll;
import java.io.PrintWriter;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;

/** The command {@code unroll}. An error is one line; the exit code is 2 for wrong input and 1 for other failures. */
@Command(
    name = "unroll",
    description = "Recurrent neural networks inside the JVM.",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    subcommands = TrainCommand.class)
public final class Main {
  private Main() {}

  /**
   * Runs a command and ends the JVM with its exit code.
   *
   * @param args the command's name and options
   */
  public static void main(String[] args) {
    System.exit(execute(commandLine(), args));
  }

  /** Makes the command with its subcommands. */
  static CommandLine commandLine() {
    return new CommandLine(new Main())
        // The build passes a text of its own first; the user's, which comes later, wins.
        .setOverwrittenOptionsAllowed(true)
        .setParameterExceptionHandler(
            (wrong, args) -> fail(wrong.getCommandLine(), wrong.getMessage() + " (see --help)", 2))
        .setExecutionExceptionHandler((failure, command, parsed) -> fail(command, message(failure), 1));
  }

  /** Runs a command; what picocli lets through are errors that the user can do something about. */
  static int execute(CommandLine command, String... args) {
    try {
      return command.execute(args);
    } catch (LinkageError | OutOfMemoryError failure) {
      return fail(command, message(failure), 1);
    }
  }

  private static int fail(CommandLine command, String message, int exitCode) {
    PrintWriter err = command.getErr();
    err.println("unroll: " + message);
    err.flush();
    return exitCode;
  }

  private static String message(Throwable failure) {
    return failure.getMessage() == null ? failure.toString() : failure.getMessage();
  }

  /** Names the version of the library; classes that are not in a jar have none. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = Unroll.class.getPackage().getImplementationVersion();
      return new String[] {
        "Unroll " + (version == null ? "(development build)" : version),
        "Java " + Runtime.version() + ", instruction set " + Unroll.instructionSet()
      };
    }
  }
}
