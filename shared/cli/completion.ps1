# PowerShell completion for PROGRAM; in a profile:
# PROGRAM --completion powershell | Out-String | Invoke-Expression

Register-ArgumentCompleter -Native -CommandName 'PROGRAM', 'PROGRAM.exe' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    # The words before the cursor, each ended by NUL; the last one is at the cursor.
    $words = ''
    $current = ''
    $rest = $null
    foreach ($element in $commandAst.CommandElements | Select-Object -Skip 1) {
        if ($element.Extent.StartOffset -ge $cursorPosition) { break }
        $text = $element.Extent.Text
        if ($element.Extent.EndOffset -ge $cursorPosition) {
            $current = $text.Substring(0, $cursorPosition - $element.Extent.StartOffset)
            break
        }
        if ($element -is [System.Management.Automation.Language.StringConstantExpressionAst]) { $text = $element.Value }
        if ($text -ceq '--' -and $null -eq $rest) { $rest = $element.Extent.EndOffset }
        $words += $text + [char]0
    }

    # Not in a pipeline, which changes $LASTEXITCODE and uses the encodings of the console.
    $program = Get-Command -Name 'PROGRAM' -CommandType Application -ErrorAction Ignore | Select-Object -First 1
    if (-not $program) { return }
    $start = New-Object System.Diagnostics.ProcessStartInfo -Property @{
        FileName               = $program.Source
        Arguments              = '--complete powershell'
        WorkingDirectory       = (Get-Location -PSProvider FileSystem).ProviderPath
        UseShellExecute        = $false
        CreateNoWindow         = $true
        RedirectStandardInput  = $true
        RedirectStandardOutput = $true
        RedirectStandardError  = $true
        StandardOutputEncoding = New-Object System.Text.UTF8Encoding $false
    }
    $process = [System.Diagnostics.Process]::Start($start)
    $bytes = [System.Text.Encoding]::UTF8.GetBytes($words + $current + [char]0)
    $process.StandardInput.BaseStream.Write($bytes, 0, $bytes.Length)
    $process.StandardInput.Close()
    $answer = $process.StandardOutput.ReadToEnd()

    if ($answer.Trim() -ceq '--') {
        # The words behind it are another command's.
        $line = $commandAst.Extent.Text.PadRight($cursorPosition - $commandAst.Extent.StartOffset)
        $line = $line.Substring(0, $cursorPosition - $commandAst.Extent.StartOffset).Substring($rest - $commandAst.Extent.StartOffset).TrimStart()
        (TabExpansion2 -inputScript $line -cursorColumn $line.Length).CompletionMatches
        return
    }
    $found = $false
    foreach ($one in $answer -split "`n") {
        $text, $shown, $about = $one -split "`t"
        if (-not $text) { continue }
        if (-not $about) { $about = $shown }
        $found = $true
        [System.Management.Automation.CompletionResult]::new($text, $shown, 'ParameterValue', $about)
    }
    if (-not $found) { '' } # else PowerShell would offer files
}
